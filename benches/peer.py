#!/usr/bin/env python3
"""Further peers of the benchmark: what else scikit-learn and Python are asked for on a paperless-ngx database.

    pip install 'scikit-learn~=1.9'
    python benches/peer.py DB check|networks|recipe|size

`check` prints what it costs to find out that nothing changed: every document's labels and time of modification read and
hashed, by plain queries. `networks` trains what paperless-ngx trains and prints the same, and what it costs to vectorize a
new document, to find the vector of a known one (by a hash of its text, pickled, as Django's cache in memory keeps it), to answer
for all fields when the vector is known, to save the classifiers (pickled, signed, written and brought to the disk) and to load
them. `recipe` trains tf-idf of words and character 4-grams with calibrated linear support vector machines, three folds, a
threshold a tag. `size` trains what paperless-ngx trains for an epoch, after which a model file is as large as after all of
them. Seconds and bytes, as one JSON object; imports aren't counted.
"""
import hashlib
import hmac
import json
import os
import pickle
import re
import sqlite3
import statistics
import sys
import tempfile
import time
import warnings

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.exceptions import ConvergenceWarning
from sklearn.feature_extraction.text import CountVectorizer, TfidfVectorizer
from sklearn.metrics import precision_recall_curve
from sklearn.model_selection import cross_val_predict
from sklearn.multiclass import OneVsRestClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_union
from sklearn.preprocessing import MultiLabelBinarizer
from sklearn.svm import LinearSVC

WORD = re.compile(r"\b[\w]+\b")
KEYS = ("correspondent_id", "document_type_id", "storage_path_id")
TABLES = ("documents_correspondent", "documents_documenttype", "documents_storagepath")


def filings(db):
    """Of each document: time of modification, three labels, tags. No document is in the inbox here."""
    auto = [{key for (key,) in db.execute(f"SELECT id FROM {table} WHERE matching_algorithm = 6")} for table in TABLES]
    auto_tags = {key for (key,) in db.execute("SELECT id FROM documents_tag WHERE matching_algorithm = 6")}
    tags = {}
    for document, tag in db.execute("SELECT document_id, tag_id FROM documents_document_tags ORDER BY 1, 2"):
        if tag in auto_tags:
            tags.setdefault(document, []).append(tag)
    query = f"SELECT id, modified, {', '.join(KEYS)} FROM documents_document WHERE deleted_at IS NULL ORDER BY id"
    for document, modified, *keys in db.execute(query):
        yield modified, [k if k in known else -1 for k, known in zip(keys, auto)], tags.get(document, [])


def fingerprint(path):
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    labels, latest = hashlib.sha256(), ""
    for modified, (correspondent, document_type, storage_path), tags in filings(db):
        latest = max(latest, modified)
        for label in (document_type, correspondent, *tags, storage_path):
            labels.update(label.to_bytes(4, "little", signed=True))
    return latest, labels.digest()


def documents(path):
    """Contents, three labels and tags of each document."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    contents = [content for (content,) in db.execute(
        "SELECT content FROM documents_document WHERE deleted_at IS NULL ORDER BY id")]
    filed = list(filings(db))
    return contents, np.array([keys for _, keys, _ in filed]), [tags for _, _, tags in filed]


def content_hash(content):
    return hashlib.sha256(content.encode()).hexdigest()


def preprocess(text):
    return " ".join(match.group().lower() for match in WORD.finditer(text))


def median(n_runs, run):
    times = []
    for _ in range(n_runs):
        began = time.perf_counter()
        run()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def save(path, models, key=b"benchmark"):
    payload = pickle.dumps(models)
    with tempfile.NamedTemporaryFile(dir=os.path.dirname(path), delete=False) as file:
        file.write(hmac.digest(key, payload, "sha256") + payload)
        file.flush()
        os.fsync(file.fileno())
    os.replace(file.name, path)


def load(path, key=b"benchmark"):
    with open(path, "rb") as file:
        data = file.read()
    if not hmac.compare_digest(data[:32], hmac.digest(key, data[32:], "sha256")):
        raise ValueError("the signature doesn't match")
    return pickle.loads(data[32:])


def check(path):
    return {"second": median(5, lambda: fingerprint(path))}


def train_networks(contents, labels, tags, **options):
    vectorizer = CountVectorizer(ngram_range=(1, 2), min_df=0.01)
    matrix = vectorizer.fit_transform(preprocess(content) for content in contents)
    targets = [*labels.T, MultiLabelBinarizer().fit_transform(tags)]
    return vectorizer, [MLPClassifier(tol=0.01, random_state=0, **options).fit(matrix, target) for target in targets]


def size(path):
    trained = train_networks(*documents(path), max_iter=1)
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as directory:
        file = os.path.join(directory, "model")
        save(file, trained)
        return {"model_bytes": os.path.getsize(file)}


def networks(path):
    contents, labels, tags = documents(path)
    vectorizer, models = train_networks(contents, labels, tags)
    texts = [preprocess(content) for content in contents[:50]]
    vectors = [vectorizer.transform([text]) for text in texts]
    cache = {content_hash(content): pickle.dumps(vector) for content, vector in zip(contents, vectors)}
    with tempfile.TemporaryDirectory(dir=os.path.dirname(path)) as directory:
        file = os.path.join(directory, "model")
        saving = median(5, lambda: save(file, (vectorizer, models)))
        return check(path) | {
            "vectorize_new": median(5, lambda: [vectorizer.transform([preprocess(c)]) for c in contents[:50]]) / 50,
            "vectorize_known": median(5, lambda: [pickle.loads(cache[content_hash(c)]) for c in contents[:50]]) / 50,
            "four_known": median(5, lambda: [m.predict(vector) for vector in vectors for m in models]) / 50,
            "save": saving,
            "load": median(5, lambda: load(file)),
            "model_bytes": os.path.getsize(file),
        }


def recipe(path):
    contents, labels, tags = documents(path)
    began = time.perf_counter()
    options = {"min_df": 2, "sublinear_tf": True}
    features = make_union(TfidfVectorizer(**options), TfidfVectorizer(analyzer="char_wb", ngram_range=(4, 4), **options))
    matrix = features.fit_transform([preprocess(content) for content in contents])
    for target in labels.T:
        CalibratedClassifierCV(LinearSVC(C=5), cv=3).fit(matrix, target)
    target = MultiLabelBinarizer().fit_transform(tags)
    tagger = OneVsRestClassifier(CalibratedClassifierCV(LinearSVC(C=5), cv=3)).fit(matrix, target)
    held_out = cross_val_predict(OneVsRestClassifier(LinearSVC(C=5)), matrix, target, cv=3, method="decision_function")
    for tag in range(len(tagger.estimators_)):
        precision, recall, thresholds = precision_recall_curve(target[:, tag], held_out[:, tag])
        thresholds[np.argmax((precision * recall / np.maximum(precision + recall, 1e-12))[:-1])]
    return {"recipe": time.perf_counter() - began}


def main():
    path, what = sys.argv[1:]
    warnings.simplefilter("ignore", ConvergenceWarning)
    print(json.dumps({"check": check, "networks": networks, "recipe": recipe, "size": size}[what](os.path.abspath(path))))


if __name__ == "__main__":
    main()

//! Flame graphs on the page: a small preview, and the interactive graph in a frame of its own.
//!
//! In come the SVG files beside the report. Each graph has its own scripts and names; in a frame they can't meet those
//! of another one. The page's script fills the frame when a reader opens it: a browser would load a frame that loads
//! lazily even where it is hidden, and a graph that starts without a width draws nothing.

use std::fs;
use std::io::{self, Write as _};
use std::path::Path;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use flate2::Compression;
use flate2::write::GzEncoder;
use maud::{DOCTYPE, Markup, PreEscaped, html};
use serde::Deserialize;

const STYLE: &str = include_str!("picture.css");
const SCRIPT: &str = include_str!("picture.js");

/// Narrower boxes, in percent, aren't in the preview.
const NARROWEST_IN_PREVIEW: f64 = 0.6;

/// Height of a row of boxes, in the picture's own units.
const ROW: f64 = 16.0;

/// A flame graph, with the names of its files.
#[derive(Debug, Deserialize)]
pub(super) struct Picture {
    title: String,
    svg: String,
    folded: Option<String>,
    pprof: Option<String>,
    speedscope: Option<String>,
    /// The SVG, once it was read.
    #[serde(skip)]
    drawing: Option<String>,
}

impl Picture {
    /// Reads the SVG. Only a plain name is followed: a report from elsewhere can't point out of its directory.
    pub(super) fn load(&mut self, directory: &Path) {
        if !is_plain_name(&self.svg) {
            return;
        }
        let file = fs::read_to_string(directory.join(&self.svg)).ok();
        // What comes before is for files; a page has its own.
        self.drawing = file.and_then(|text| {
            let start = text.find("<svg")?;
            text.trim_end()
                .ends_with("</svg>")
                .then(|| text[start..].to_owned())
        });
    }

    /// What changed in it against a baseline, in both directions, where that was drawn.
    pub(super) fn differences(&self, directory: &Path) -> Vec<Self> {
        let Some(stem) = self.svg.strip_suffix(".svg") else {
            return Vec::new();
        };
        let drawn = [("diff", "now"), ("diff_before", "before")].map(|(ending, width)| {
            let mut picture = Self {
                title: format!("{}: changes, as wide as {width}", self.title),
                svg: format!("{stem}.{ending}.svg"),
                folded: None,
                pprof: None,
                speedscope: None,
                drawing: None,
            };
            picture.load(directory);
            picture
        });
        drawn
            .into_iter()
            .filter(|picture| picture.drawing.is_some())
            .collect()
    }

    /// The preview, which opens the graph, and links to its files.
    pub(super) fn markup(&self) -> Markup {
        html! {
            @match &self.drawing {
                Some(drawing) => details.picture {
                    summary { (preview(drawing)) span { (self.title) } }
                    div.frame {
                        iframe title={ "Flame graph. " (self.title) } height=(height(drawing))
                            data-picture=(packed(&self.frame(drawing).into_string())) {}
                    }
                    (self.links())
                },
                None => p.muted { (self.title) ": its picture is not beside the report" },
            }
        }
    }

    fn frame(&self, drawing: &str) -> Markup {
        html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    title { (self.title) }
                    style { (PreEscaped(STYLE)) }
                    script { (PreEscaped(SCRIPT)) }
                }
                body { (PreEscaped(drawing)) }
            }
        }
    }

    fn links(&self) -> Markup {
        let files = [
            ("picture alone", Some(&self.svg)),
            ("folded stacks", self.folded.as_ref()),
            ("pprof", self.pprof.as_ref()),
            ("speedscope", self.speedscope.as_ref()),
        ];
        let present = files.into_iter().filter_map(|(name, file)| Some((name, file?)));
        html! {
            p.files {
                "Beside this page: "
                @for (at, (name, file)) in present.filter(|(_, file)| is_plain_name(file)).enumerate() {
                    @if at > 0 { ", " }
                    a href=(file) { (name) }
                }
            }
        }
    }
}

/// Gzipped, in base64. A graph is a tenth of its size then, and the page holds nothing of it that could be markup.
fn packed(text: &str) -> String {
    let compress = || -> io::Result<Vec<u8>> {
        let mut archive = GzEncoder::new(Vec::new(), Compression::best());
        archive.write_all(text.as_bytes())?;
        archive.finish()
    };
    STANDARD.encode(compress().expect("a Vec takes every write"))
}

/// The name of a file that needs no escape in an address and leads out of no directory.
fn is_plain_name(name: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !name.starts_with('.') && !name.is_empty() && name.chars().all(plain)
}

/// A box of a flame graph.
struct Rect<'svg> {
    x: f64,
    y: f64,
    width: f64,
    fill: &'svg str,
}

/// The wide boxes without their names.
fn preview(drawing: &str) -> Markup {
    let boxes: Vec<Rect<'_>> = drawing.split("<rect ").skip(1).filter_map(Rect::read).collect();
    let top = boxes.iter().map(|rect| rect.y).fold(f64::INFINITY, f64::min);
    let bottom = boxes.iter().map(|rect| rect.y).fold(top, f64::max);
    let rows = (bottom - top) / ROW + 1.0;
    html! {
        svg viewBox={ "0 0 100 " (if rows.is_finite() { rows } else { 1.0 }) } preserveAspectRatio="none" aria-hidden="true" {
            @for rect in &boxes {
                rect x=(format!("{:.1}", rect.x)) y=((rect.y - top) / ROW) width=(format!("{:.1}", rect.width))
                    height="1" fill=(rect.fill) {}
            }
        }
    }
}

impl<'svg> Rect<'svg> {
    /// From the attributes that follow `<rect `, as inferno writes them; none for the background and for narrow boxes.
    fn read(attributes: &'svg str) -> Option<Self> {
        let attribute = |name: &str| {
            let tag = attributes.split('>').next()?;
            tag.split(name).nth(1)?.split('"').next()
        };
        let percent = |name| attribute(name)?.strip_suffix('%')?.parse::<f64>().ok();
        let rect = Self {
            x: percent("x=\"")?,
            y: attribute(" y=\"")?.parse().ok()?,
            width: percent("width=\"")?,
            fill: attribute("fill=\"")?,
        };
        (rect.width >= NARROWEST_IN_PREVIEW && rect.fill.starts_with("rgb(")).then_some(rect)
    }
}

/// Of the frame: that of the picture, which is always the same while its width follows the page.
fn height(drawing: &str) -> u32 {
    const IF_UNKNOWN: u32 = 600;
    let tag = drawing.split('>').next().unwrap_or_default();
    let written = tag
        .split(" height=\"")
        .nth(1)
        .and_then(|rest| rest.split('"').next());
    written
        .and_then(|height| height.parse().ok())
        .unwrap_or(IF_UNKNOWN)
}

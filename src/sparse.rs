//! Sparse matrices (placeholder until the text branch lands).
/// CSR.
#[derive(Debug, Clone, PartialEq)]
pub struct CsrMatrix { n_cols: usize, indptr: Vec<usize>, indices: Vec<u32>, values: Vec<f32> }
/// Row.
#[derive(Debug, Clone, Copy)]
pub struct SparseRow<'a> { /// i
 pub indices: &'a [u32], /// v
 pub values: &'a [f32] }
impl CsrMatrix {
    /// new
    pub fn from_rows(n_cols: usize, rows: &[Vec<(u32, f32)>]) -> Self {
        let mut m = Self { n_cols, indptr: vec![0], indices: vec![], values: vec![] };
        for r in rows { for &(i, v) in r { m.indices.push(i); m.values.push(v); } m.indptr.push(m.indices.len()); }
        m
    }
    /// n
    pub fn n_rows(&self) -> usize { self.indptr.len() - 1 }
    /// n
    pub fn n_cols(&self) -> usize { self.n_cols }
    /// r
    pub fn row(&self, i: usize) -> SparseRow<'_> { let r = self.indptr[i]..self.indptr[i+1]; SparseRow { indices: &self.indices[r.clone()], values: &self.values[r] } }
}

//! The numeric truths that the engine must reproduce: the SRE Workbook's chapter 5 as numbers, the worked figures of the product's own texts, and the
//! traps that burn-rate arithmetic falls into elsewhere.

mod detection_grid;
mod from_samples;
mod laws;
mod pitfalls;
mod policies;
mod slices;
mod workbook;
mod worked_figures;

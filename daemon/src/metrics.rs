//! (module metrics)

//! (module web)

//! (module tasks)

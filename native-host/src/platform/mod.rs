//! What differs between operating systems, and nothing else does.

#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(windows)]
pub(crate) use windows::*;

/// A program, as a person would recognise it: its path, and that of the program that started it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Program {
    /// The path of what asked.
    pub(crate) path: String,
    /// The path of what started that.
    pub(crate) parent: Option<String>,
}

impl std::fmt::Display for Program {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str(&self.path)?;
        match &self.parent {
            Some(parent) => write!(formatter, " (started by {parent})"),
            None => Ok(()),
        }
    }
}

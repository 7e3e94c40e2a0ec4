//! Everything that differs between operating systems.

mod system;
#[cfg(unix)]
mod unix;
#[cfg(windows)]
mod windows;

pub(crate) use system::{AskerState, Process, process, system_name};
#[cfg(unix)]
pub(crate) use unix::*;
#[cfg(windows)]
pub(crate) use windows::*;

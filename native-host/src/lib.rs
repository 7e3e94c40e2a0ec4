//! Rolecall on the machine: what the `rolecall` binary is made of.

pub mod aws_files;

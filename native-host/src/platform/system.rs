//! What the operating system reports about itself and its processes.

use std::ffi::OsString;
use std::path::PathBuf;

/// The state of the program at the other end of a connection, after it sent its request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum AskerState {
    /// It waits for the response.
    Waiting,
    /// A person has interrupted it.
    #[cfg_attr(windows, expect(dead_code, reason = "there is no such signal on Windows"))]
    Cancelled,
    /// It has closed the connection or has ended.
    Gone,
}

/// A process, as far as this user may see it.
#[derive(Debug)]
pub(crate) struct Process {
    /// The path of its program.
    pub(crate) program: Option<PathBuf>,
    /// Its arguments; the first is usually the program's name.
    pub(crate) arguments: Vec<OsString>,
    /// Its working directory.
    pub(crate) folder: Option<PathBuf>,
    /// The id of its parent process.
    pub(crate) parent: Option<u32>,
}

/// The process with this id.
#[cfg(target_os = "linux")]
pub(crate) fn process(id: u32) -> Option<Process> {
    use std::fs;
    use std::os::unix::ffi::OsStringExt;

    // proc(5)
    let about = PathBuf::from(format!("/proc/{id}"));
    let status = fs::read_to_string(about.join("status")).ok()?;
    let parent = status.lines().find_map(|line| line.strip_prefix("PPid:")?.trim().parse().ok());
    let arguments = fs::read(about.join("cmdline")).unwrap_or_default();
    let arguments = arguments.strip_suffix(b"\0").unwrap_or(&arguments).split(|byte| *byte == 0);
    Some(Process {
        program: fs::read_link(about.join("exe")).ok(),
        arguments: arguments.map(|argument| OsString::from_vec(argument.to_vec())).collect(),
        folder: fs::read_link(about.join("cwd")).ok(),
        parent: parent.filter(|parent| *parent != 0),
    })
}

/// The process with this id.
#[cfg(not(target_os = "linux"))]
pub(crate) fn process(id: u32) -> Option<Process> {
    use std::path::Path;

    use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System, UpdateKind};

    let id = Pid::from_u32(id);
    let once = UpdateKind::Always;
    let wanted = ProcessRefreshKind::nothing().with_exe(once).with_cmd(once).with_cwd(once);
    let mut system = System::new();
    system.refresh_processes_specifics(ProcessesToUpdate::Some(&[id]), false, wanted);
    let process = system.process(id)?;
    Some(Process {
        program: process.exe().map(Path::to_owned),
        arguments: process.cmd().to_vec(),
        folder: process.cwd().map(Path::to_owned),
        parent: process.parent().map(Pid::as_u32),
    })
}

/// The system's name and version, such as "Debian GNU/Linux 13".
#[cfg(target_os = "linux")]
pub(crate) fn system_name() -> Option<String> {
    // os-release(5)
    let text = std::fs::read_to_string("/etc/os-release").ok()?;
    let value = |key: &str| {
        let value = text.lines().find_map(|line| line.strip_prefix(key)?.strip_prefix('='))?;
        Some(value.trim_matches('"').to_owned())
    };
    Some([value("NAME"), value("VERSION_ID")].into_iter().flatten().collect::<Vec<_>>().join(" "))
}

/// The system's name and version, such as "Windows 11".
#[cfg(not(target_os = "linux"))]
pub(crate) fn system_name() -> Option<String> {
    use sysinfo::System;

    Some([System::name(), System::os_version()].into_iter().flatten().collect::<Vec<_>>().join(" "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_process_is_reported_as_it_is() {
        let own = process(std::process::id()).unwrap();
        assert_eq!(own.program, Some(std::env::current_exe().unwrap()));
        assert_eq!(own.arguments, std::env::args_os().collect::<Vec<_>>());
        assert_eq!(own.folder, Some(std::env::current_dir().unwrap()));
        #[cfg(unix)]
        assert_eq!(own.parent, Some(std::os::unix::process::parent_id()));
    }

    #[test]
    fn a_child_process_has_its_parents_id() {
        let shell = if cfg!(windows) { "cmd" } else { "sh" };
        // It ends with its input, at the latest when `child` is dropped.
        let mut child = std::process::Command::new(shell)
            .stdin(std::process::Stdio::piped())
            .stdout(std::process::Stdio::null())
            .spawn()
            .unwrap();
        let seen = process(child.id()).unwrap();
        assert_eq!(seen.parent, Some(std::process::id()));
        assert!(seen.program.is_some());
        drop(child.stdin.take());
        child.wait().unwrap();
    }

    #[test]
    fn a_process_that_does_not_exist_is_not_found() {
        assert!(process(u32::MAX).is_none());
    }
}

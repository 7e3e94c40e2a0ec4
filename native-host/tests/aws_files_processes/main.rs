//! The AWS files and many processes: killed ones, competing ones, ones with little space or few rights.
//!
//! This binary is its own child: with `--write` it carries out one operation and ends, so that something can be killed.

#![allow(clippy::disallowed_macros, clippy::disallowed_methods)]
// A test fails by panicking; this crate is nothing but tests.
#![allow(clippy::expect_used, clippy::unwrap_used)]

#[path = "../aws_files/home.rs"]
#[allow(dead_code, reason = "shared with the tests that need one process only")]
mod home;

#[cfg(unix)]
mod competing;
#[cfg(unix)]
mod full_disk;
#[cfg(unix)]
mod killed;
#[cfg(unix)]
mod rights;
#[cfg(unix)]
mod writer;

#[cfg(unix)]
fn main() -> std::process::ExitCode {
    let arguments: Vec<String> = std::env::args().collect();
    if let [_, flag, rest @ ..] = arguments.as_slice()
        && flag == "--write"
    {
        return writer::run(rest);
    }
    let mut trials = vec![
        test("two_hundred_writers_of_different_profiles_lose_none", competing::two_hundred_writers),
        test("two_writers_of_one_profile_never_leave_it_in_both_files", competing::one_profile_two_modes),
        test("a_writer_killed_at_any_moment_leaves_old_or_new_files", killed::at_any_moment),
        test("a_read_only_folder_with_a_writable_file_is_a_clear_error", rights::read_only_folder),
    ];
    let strace = killed::has_strace();
    trials.push(
        test("a_writer_killed_at_every_system_call_leaves_old_or_new_files", killed::at_every_system_call)
            .with_ignored_flag(!strace),
    );
    let root = rights::is_root();
    trials.push(
        test("a_file_of_another_owner_is_not_taken_away", rights::foreign_owner).with_ignored_flag(!root),
    );
    let mount = full_disk::can_mount();
    trials
        .push(test("a_full_disk_loses_nothing", full_disk::loses_nothing).with_ignored_flag(mount.is_err()));
    for (is_there, what) in
        [(strace, "strace is not installed"), (root, "not root: cannot act as another user")]
    {
        if !is_there {
            println!("ignored: {what}");
        }
    }
    if let Err(why) = mount {
        println!("ignored: no small file system can be mounted here ({why})");
    }
    libtest_mimic::run(&libtest_mimic::Arguments::from_args(), trials).exit_code()
}

#[cfg(not(unix))]
fn main() {
    println!("0 passed, 0 failed: nothing here runs on this system");
}

#[cfg(unix)]
fn test(name: &str, run: fn()) -> libtest_mimic::Trial {
    libtest_mimic::Trial::test(name, move || {
        run();
        Ok(())
    })
}

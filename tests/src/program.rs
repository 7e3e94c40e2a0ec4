//! A program that runs until its input ends and responds line by line.

use std::process::{ExitStatus, Stdio};

use anyhow::{Context as _, Result, bail};
use rustix::process::{Pid, Signal, kill_process};
use tokio::io::{AsyncBufReadExt as _, AsyncReadExt as _, AsyncWriteExt as _, BufReader, Lines};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::task::JoinHandle;
use tokio::time::timeout;

use crate::{Output, TIMEOUT};

/// A running program. Dropping it kills it.
#[derive(Debug)]
pub struct Program {
    line: String,
    process: Child,
    input: ChildStdin,
    output: Lines<BufReader<ChildStdout>>,
    said: JoinHandle<String>,
}

impl Program {
    pub(crate) fn start(mut command: Command) -> Result<Self> {
        let line = format!("{:?}", command.as_std());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).kill_on_drop(true);
        let mut process = command.spawn().with_context(|| format!("cannot run {line}"))?;
        let input = process.stdin.take().context("no input")?;
        let output = BufReader::new(process.stdout.take().context("no output")?).lines();
        let mut errors = process.stderr.take().context("no errors")?;
        let said = tokio::spawn(async move {
            let mut said = Vec::new();
            // Part of the output is better than none.
            let _ = errors.read_to_end(&mut said).await;
            String::from_utf8_lossy(&said).into_owned()
        });
        Ok(Self { line, process, input, output, said })
    }

    /// Writes a line, and waits for the response line.
    pub async fn ask(&mut self, question: &str) -> Result<String> {
        // A program that has ended reads no line; waiting for its response reports why.
        let _ = self.input.write_all(format!("{question}\n").as_bytes()).await;
        self.next().await
    }

    /// Waits for the next line of output.
    pub async fn next(&mut self) -> Result<String> {
        let line = timeout(TIMEOUT, self.output.next_line()).await;
        if let Some(line) =
            line.with_context(|| format!("{} prints nothing for {TIMEOUT:?}", self.line))??
        {
            return Ok(line);
        }
        let said = (&mut self.said).await.unwrap_or_default();
        bail!("{} ended with:\n{said}", self.line)
    }

    /// Interrupts it, as Ctrl-C does, and waits for its end.
    pub async fn interrupt(mut self) -> Result<ExitStatus> {
        self.signal(Signal::INT)?;
        let ended = timeout(TIMEOUT, self.process.wait()).await;
        Ok(ended.with_context(|| format!("{} does not end", self.line))??)
    }

    /// Kills it.
    pub async fn kill(mut self) -> Result<()> {
        Ok(self.process.kill().await?)
    }

    /// Ends its input, and waits for its end.
    pub async fn finish(self) -> Result<Output> {
        let Self { line, mut process, input, mut output, said } = self;
        drop(input);
        let ending = async {
            let mut stdout = String::new();
            while let Some(printed) = output.next_line().await? {
                stdout.extend([printed.as_str(), "\n"]);
            }
            anyhow::Ok((process.wait().await?.code(), stdout))
        };
        let (code, stdout) =
            timeout(TIMEOUT, ending).await.with_context(|| format!("{line} does not end"))??;
        Ok(Output { line, code, stdout, stderr: said.await.unwrap_or_default() })
    }

    fn signal(&self, signal: Signal) -> Result<()> {
        let id = self.process.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?));
        kill_process(id.context("it has ended already")?, signal).context("cannot send the signal")
    }
}

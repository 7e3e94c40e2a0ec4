//! The window in which the extension asks for the approval of a program.

use anyhow::{Context as _, Result};
use thirtyfour::WindowHandle;

use crate::{Accessible, Browser, accessible, until};

/// An open approval window.
#[derive(Debug)]
pub struct Question<'browser> {
    browser: &'browser Browser,
    window: WindowHandle,
}

impl<'browser> Question<'browser> {
    pub(crate) fn new(browser: &'browser Browser, window: WindowHandle) -> Self {
        Self { browser, window }
    }

    /// Makes it the current window.
    pub async fn enter(&self) -> Result<()> {
        self.browser.enter(&self.window).await
    }

    /// Waits for the question, and returns its accessible name and text.
    pub async fn text(&self) -> Result<(String, String)> {
        let dialog = until("the question", async || {
            self.enter().await?;
            Ok(accessible::all(self.browser.driver(), Accessible::Alertdialog).await?.pop())
        });
        let name = dialog.await?.name;
        Ok((name, self.browser.text().await?))
    }

    /// The names of its buttons.
    pub async fn buttons(&self) -> Result<Vec<String>> {
        self.text().await?;
        let buttons = accessible::all(self.browser.driver(), Accessible::Button).await?;
        Ok(buttons.into_iter().map(|button| button.name).collect())
    }

    /// Presses a button once it is enabled, and waits until the window has closed.
    pub async fn answer(self, button: &str) -> Result<()> {
        let found = until(format!("the button “{button}” to be ready"), async || {
            self.enter().await?;
            match accessible::find(self.browser.driver(), Accessible::Button, button).await? {
                Some(element) if element.is_pressable().await? => Ok(Some(element)),
                _ => Ok(None),
            }
        });
        found.await?.web.click().await.with_context(|| format!("cannot press “{button}”"))?;
        until("the question's window to close", async || {
            Ok((!self.browser.is_open(&self.window).await?).then_some(()))
        })
        .await
    }

    /// Closes the window.
    pub async fn close(self) -> Result<()> {
        self.text().await?;
        Ok(self.browser.driver().close_window().await?)
    }
}

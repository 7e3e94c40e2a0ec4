//! The sandbox's sign-in form in the browser's sign-in window.

use anyhow::{Context as _, Result};
use thirtyfour::WindowHandle;

use crate::{Accessible, Browser, accessible, until};

/// An open sign-in window.
#[derive(Debug)]
pub struct SignInWindow<'browser> {
    browser: &'browser Browser,
    window: WindowHandle,
}

impl<'browser> SignInWindow<'browser> {
    pub(crate) fn new(browser: &'browser Browser, window: WindowHandle) -> Self {
        Self { browser, window }
    }

    /// Signs in as this user, and waits until the window has closed.
    pub async fn choose(self, person: &str) -> Result<()> {
        self.press(person).await?;
        self.has_closed().await
    }

    /// Signs in as this user in a window that stays open.
    pub async fn answer(self, person: &str) -> Result<()> {
        self.press(person).await
    }

    /// Denies the sign-in, and waits until the window has closed.
    pub async fn deny(self) -> Result<()> {
        self.press("Deny").await?;
        self.has_closed().await
    }

    /// Closes the window.
    pub async fn close(self) -> Result<()> {
        self.browser.enter(&self.window).await?;
        Ok(self.browser.driver().close_window().await?)
    }

    /// Presses the first button whose name starts with `name`: a user's button also has their address and groups.
    async fn press(&self, name: &str) -> Result<()> {
        let button = until(format!("the button “{name}” in the sign-in form"), async || {
            self.browser.enter(&self.window).await?;
            let buttons = accessible::all(self.browser.driver(), Accessible::Button).await?;
            Ok(buttons.into_iter().find(|button| button.name.starts_with(name)))
        });
        button.await?.web.click().await.context("cannot click in the sign-in form")
    }

    /// Waits until it has closed.
    pub async fn has_closed(self) -> Result<()> {
        until("the sign-in window to close", async || {
            Ok((!self.browser.is_open(&self.window).await?).then_some(()))
        })
        .await
    }
}

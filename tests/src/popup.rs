//! The popup, as a person sees, hears and uses it.

use anyhow::{Context as _, Result};
use thirtyfour::{Key, TypingData, WindowHandle};

use crate::wait::until_seen;
use crate::{Accessible, Browser, Element, accessible, until};

/// The popup's page in a tab.
#[derive(Debug)]
pub struct Popup<'browser> {
    browser: &'browser Browser,
    window: WindowHandle,
}

impl<'browser> Popup<'browser> {
    pub(crate) fn new(browser: &'browser Browser, window: WindowHandle) -> Self {
        Self { browser, window }
    }

    /// Makes it the current window.
    pub async fn enter(&self) -> Result<()> {
        self.browser.enter(&self.window).await
    }

    /// Waits for an element by role and accessible name.
    pub async fn element(&self, kind: Accessible, name: &str) -> Result<Element> {
        let what = format!("the {} “{name}”", kind.role());
        let found = until(what, async || {
            self.enter().await?;
            accessible::find(self.browser.driver(), kind, name).await
        });
        self.explained(found.await).await
    }

    /// The names of all elements of a kind.
    pub async fn names(&self, kind: Accessible) -> Result<Vec<String>> {
        self.enter().await?;
        let elements = accessible::all(self.browser.driver(), kind).await?;
        Ok(elements.into_iter().map(|element| element.name).collect())
    }

    /// Waits until exactly these roles are listed.
    pub async fn lists(&self, roles: &[&str]) -> Result<()> {
        let names =
            until_seen("the roles", async || self.names(Accessible::Option).await, |names| names == roles);
        self.explained(names.await).await.map(drop)
    }

    /// The role and the name of the focused element.
    pub async fn focused(&self) -> Result<(String, String)> {
        self.enter().await?;
        accessible::focused(self.browser.driver()).await
    }

    /// Types into the focused element.
    pub async fn type_keys(&self, keys: impl Into<TypingData>) -> Result<()> {
        self.enter().await?;
        Ok(self.browser.driver().active_element().await?.send_keys(keys).await?)
    }

    /// Presses one key in the focused element.
    pub async fn key(&self, key: Key) -> Result<()> {
        self.type_keys(key).await
    }

    /// The selected role.
    pub async fn selected(&self) -> Result<Option<String>> {
        self.enter().await?;
        for option in accessible::all(self.browser.driver(), Accessible::Option).await? {
            if option.web.attr("aria-selected").await?.as_deref() == Some("true") {
                return Ok(Some(option.name));
            }
        }
        Ok(None)
    }

    /// Waits until a role is selected.
    pub async fn shows_selected(&self, role: &str) -> Result<()> {
        let wanted = |selected: &Option<String>| selected.as_deref() == Some(role);
        let selected = until_seen("the selection", async || self.selected().await, wanted);
        self.explained(selected.await).await.map(drop)
    }

    /// Selects a role with the mouse.
    pub async fn select(&self, role: &str) -> Result<()> {
        // What is found may be drawn again before it is clicked.
        until(format!("the role {role} to be clicked"), async || {
            self.element(Accessible::Option, role).await?.web.click().await?;
            Ok(Some(()))
        })
        .await?;
        self.shows_selected(role).await
    }

    /// Waits until a button can be pressed, and presses it. One that was hidden or replaced in between is waited for again.
    pub async fn press(&self, button: &str) -> Result<()> {
        let pressed = until(format!("the button “{button}” to be pressed"), async || {
            let Some(element) = self.if_pressable(button).await? else { return Ok(None) };
            element.web.click().await?;
            Ok(Some(()))
        });
        self.explained(pressed.await).await
    }

    /// Waits until a button can be pressed.
    pub async fn pressable(&self, button: &str) -> Result<Element> {
        let found =
            until(format!("the button “{button}” to be ready"), async || self.if_pressable(button).await);
        self.explained(found.await).await
    }

    async fn if_pressable(&self, button: &str) -> Result<Option<Element>> {
        self.enter().await?;
        match accessible::find(self.browser.driver(), Accessible::Button, button).await? {
            Some(element) if element.is_pressable().await? => Ok(Some(element)),
            _ => Ok(None),
        }
    }

    /// The accessible description of a role: the time left.
    pub async fn description(&self, role: &str) -> Result<String> {
        self.element(Accessible::Option, role).await?.description().await
    }

    /// Waits until the status region contains `words`, and returns its text.
    pub async fn status(&self, words: &str) -> Result<String> {
        self.announces(Accessible::Status, words).await
    }

    /// Waits until the alert contains `words`, and returns its text.
    pub async fn alert(&self, words: &str) -> Result<String> {
        self.announces(Accessible::Alert, words).await
    }

    /// The text of the alert, which ends with the error's code, if there is one.
    pub async fn error(&self) -> Result<Option<String>> {
        Ok(Some(self.spoken(Accessible::Alert).await?).filter(|alert| !alert.is_empty()))
    }

    /// Whether an alert is shown.
    pub async fn has_alert(&self) -> Result<bool> {
        Ok(self.error().await?.is_some())
    }

    /// Dismisses the alert, and waits until it is gone.
    pub async fn dismiss(&self) -> Result<()> {
        self.press("Dismiss").await?;
        let gone = until("the alert to disappear", async || Ok((!self.has_alert().await?).then_some(())));
        self.explained(gone.await).await
    }

    /// Waits until the page contains `words`, and returns its text.
    pub async fn says(&self, words: &str) -> Result<String> {
        let text = until_seen(
            format!("“{words}” in the popup"),
            async || self.text().await,
            |text: &String| text.contains(words),
        );
        text.await
    }

    /// The page's text.
    pub async fn text(&self) -> Result<String> {
        self.enter().await?;
        self.browser.text().await
    }

    /// The ids of the extension's notifications. Browsers have no common way to read their texts.
    pub async fn notifications(&self) -> Result<Vec<String>> {
        self.enter().await?;
        let shown = self.browser.driver().execute_async(NOTIFICATIONS, Vec::new()).await?;
        shown.convert().context("the notifications are not a list")
    }

    async fn announces(&self, kind: Accessible, words: &str) -> Result<String> {
        let what = format!("“{words}” in the {}", kind.role());
        let text = until_seen(what, async || self.spoken(kind).await, |text: &String| text.contains(words));
        self.explained(text.await).await
    }

    async fn spoken(&self, kind: Accessible) -> Result<String> {
        self.enter().await?;
        let mut texts = Vec::new();
        for element in accessible::all(self.browser.driver(), kind).await? {
            texts.push(element.web.text().await?);
        }
        Ok(texts.join("\n"))
    }

    /// Adds the page's text to a failure.
    async fn explained<T>(&self, result: Result<T>) -> Result<T> {
        match result {
            Ok(found) => Ok(found),
            Err(error) => {
                let text = self.text().await.unwrap_or_else(|error| format!("(nothing: {error})"));
                Err(error.context(format!("the popup says:\n{text}\n")))
            }
        }
    }
}

/// Returns the ids of the extension's notifications.
const NOTIFICATIONS: &str = "
    const told = arguments[arguments.length - 1];
    (globalThis.browser ?? chrome).notifications.getAll().then(shown => told(Object.keys(shown)));
";

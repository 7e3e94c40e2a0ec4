//! Pages as assistive technology sees them: elements by role and accessible name, both computed by the browser.

use std::sync::Arc;

use anyhow::{Context as _, Result};
use http::Method;
use serde_json::Value;
use thirtyfour::common::command::{Command, ExtensionCommand};
use thirtyfour::{WebDriver, WebElement};

/// The roles of elements that the tests look for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Accessible {
    /// Announces an error.
    Alert,
    /// Asks a question.
    Alertdialog,
    /// Can be pressed.
    Button,
    /// A text field with a list of suggestions.
    Combobox,
    /// A link.
    Link,
    /// Contains options.
    Listbox,
    /// An item of a menu.
    Menuitem,
    /// An item of a list.
    Option,
    /// Announces progress.
    Status,
}

impl Accessible {
    /// The role's name in WAI-ARIA.
    #[must_use]
    pub fn role(self) -> &'static str {
        match self {
            Self::Alert => "alert",
            Self::Alertdialog => "alertdialog",
            Self::Button => "button",
            Self::Combobox => "combobox",
            Self::Link => "link",
            Self::Listbox => "listbox",
            Self::Menuitem => "menuitem",
            Self::Option => "option",
            Self::Status => "status",
        }
    }

    /// A selector for elements that may have the role; the browser decides which do.
    fn candidates(self) -> String {
        let native = match self {
            Self::Button => ", button",
            Self::Combobox => ", select, input",
            Self::Link => ", a[href]",
            Self::Listbox => ", select",
            Self::Option => ", option",
            Self::Status => ", output",
            Self::Alert | Self::Alertdialog | Self::Menuitem => "",
        };
        format!("[role={}]{native}", self.role())
    }
}

/// An element and its accessible properties.
#[derive(Clone, Debug)]
pub struct Element {
    /// Its accessible name.
    pub name: String,
    /// The element in WebDriver.
    pub web: WebElement,
}

impl Element {
    /// Whether a person can press it now. A button that is disabled with `aria-disabled` keeps the focus.
    pub async fn is_pressable(&self) -> Result<bool> {
        let said = self.web.attr("aria-disabled").await?;
        Ok(said.as_deref() != Some("true") && self.web.is_displayed().await? && self.web.is_enabled().await?)
    }

    /// Its accessible description.
    pub async fn description(&self) -> Result<String> {
        Ok(self.web.attr("aria-description").await?.unwrap_or_default())
    }
}

/// All visible elements with a role in the current window, in document order.
pub(crate) async fn all(driver: &WebDriver, kind: Accessible) -> Result<Vec<Element>> {
    let mut found = Vec::new();
    for web in visible(driver, kind, "").await? {
        if computed(&web, "computedrole").await? == kind.role() {
            found.push(Element { name: computed(&web, "computedlabel").await?, web });
        }
    }
    Ok(found)
}

/// The visible element with that role and name, if there is one.
pub(crate) async fn find(driver: &WebDriver, kind: Accessible, name: &str) -> Result<Option<Element>> {
    for web in visible(driver, kind, name).await? {
        if computed(&web, "computedlabel").await? == name
            && computed(&web, "computedrole").await? == kind.role()
        {
            return Ok(Some(Element { name: name.to_owned(), web }));
        }
    }
    Ok(None)
}

/// The visible elements that may have the role, those first whose text or label contains `words`: each question about an
/// element is a request to the browser.
async fn visible(driver: &WebDriver, kind: Accessible, words: &str) -> Result<Vec<WebElement>> {
    let arguments = vec![kind.candidates().into(), words.into()];
    driver.execute(VISIBLE, arguments).await?.elements().context("the visible elements are not a list")
}

/// The role and the name of the focused element.
pub(crate) async fn focused(driver: &WebDriver) -> Result<(String, String)> {
    let web = driver.active_element().await?;
    Ok((computed(&web, "computedrole").await?, computed(&web, "computedlabel").await?))
}

/// "Get Computed Role" and "Get Computed Label" of the WebDriver standard, sections 12.4.10 and 12.4.11.
async fn computed(element: &WebElement, what: &'static str) -> Result<String> {
    let command =
        Command::ExtensionCommand(Box::new(Computed { element: element.element_id().to_string(), what }));
    let answer: Value = element.handle().cmd(command).await?.value_json()?;
    Ok(answer.as_str().with_context(|| format!("{what} is not a string"))?.to_owned())
}

#[derive(Debug)]
struct Computed {
    element: String,
    what: &'static str,
}

impl ExtensionCommand for Computed {
    fn parameters_json(&self) -> Option<Value> {
        None
    }

    fn method(&self) -> Method {
        Method::GET
    }

    fn endpoint(&self) -> Arc<str> {
        format!("/element/{}/{}", self.element, self.what).into()
    }
}

/// Returns the visible elements of a selector, those first whose text or label contains some words.
const VISIBLE: &str = r#"
const [selector, words] = arguments;
const says = (element) => {
  const text = `${element.getAttribute("aria-label") ?? ""} ${element.textContent}`;
  return text.replace(/\s+/g, " ").includes(words);
};
const isShown = (element) => element.checkVisibility({ opacityProperty: true, visibilityProperty: true });
const shown = [...document.querySelectorAll(selector)].filter(isShown);
return [...shown.filter(says), ...shown.filter((element) => !says(element))];
"#;

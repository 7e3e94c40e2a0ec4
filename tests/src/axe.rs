//! What axe-core, the accessibility checker, finds wrong with a page.

use std::fs;

use anyhow::{Context as _, Result};

use crate::{Browser, Fixtures};

/// What it finds wrong with the page of the current window, one line for each element.
pub async fn violations(browser: &Browser) -> Result<Vec<String>> {
    let path = Fixtures::node_modules()?.join("axe-core/axe.min.js");
    let axe = fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
    let found = browser.driver().execute_async(format!("{axe}\n{RUN}"), Vec::new()).await?;
    found.convert().context("axe-core answered something else than a list")
}

/// Runs every rule, those of good practice among them. A role's option is named "ACCOUNT / ROLE" and shows the role above the
/// account: the same words, which one rule wants in the same order.
const RUN: &str = "
    const told = arguments[arguments.length - 1];
    const line = ({ id, help }, { target, failureSummary }) => `${id}: ${help}: ${target}: ${failureSummary}`;
    const isOtherOrder = ({ id }, { target }) =>
        id === 'label-content-name-mismatch' && document.querySelector(target[0])?.matches('[role=option]');
    window.axe.run(document, { resultTypes: ['violations'] }).then(
        ({ violations }) => told(violations.flatMap(rule =>
            rule.nodes.filter(node => !isOtherOrder(rule, node)).map(node => line(rule, node)))),
        error => told([`axe-core failed: ${error}`]),
    );
";

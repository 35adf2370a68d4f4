"""Journeys of people through the application."""

from playwright.sync_api import Page, expect


def test_taking_from_the_list_by_keys(keeper: Page) -> None:
    keeper.goto("/parts?q=4k7")
    expect(keeper.get_by_role("list", name="Parts").locator("[data-row]").first).to_be_visible()
    keeper.screenshot(path="/tmp/shot-parts.png")

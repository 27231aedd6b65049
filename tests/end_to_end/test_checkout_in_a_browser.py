"""A customer pays for top-ups in a real browser, on the stack that `ledger up` starts."""

import signal
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.specs.browser import Browser, running_browser
from tests.specs.running_stack import RunningStack, eventually
from tests.specs.shop import Shop, open_shop


@pytest.fixture
async def browser(server_home: Path) -> AsyncIterator[Browser]:
    async with running_browser(server_home) as started:
        yield started


@pytest.fixture
async def shop(stack: RunningStack, browser: Browser) -> AsyncIterator[Shop]:
    async with open_shop(stack, browser) as opened:
        yield opened


async def test_a_customer_pays_and_comes_back_to_the_merchant(shop: Shop, browser: Browser) -> None:
    await shop.ask_for(2050, description="Gift card")
    page = await browser.says("GH₵20.50")
    assert "Gift card" in page
    assert "Sandbox" in page

    await browser.click(shop.pay_button)
    await browser.leaves(shop.stack.url)
    await shop.pay_with("good")

    await shop.lands("paid", "completed")
    assert await shop.balance() == 2050
    assert await shop.status() == "completed"


async def test_a_declined_card_costs_nothing_and_another_one_pays(
    shop: Shop, browser: Browser
) -> None:
    await shop.ask_for(500)
    await browser.click(shop.pay_button)

    await shop.pay_with("declined")
    await browser.says("declined")
    assert (await shop.balance(), await shop.status()) == (0, "pending")

    await shop.pay_with("good")
    await shop.lands("paid", "completed")
    assert await shop.credits() == [500]


@pytest.mark.parametrize(
    ("number", "notice"),
    [("4242 4242 4242 4241", "not a card number"), ("4111 1111 1111 1111", "Only the test cards")],
)
@pytest.mark.slow
async def test_no_other_card_number_pays(
    shop: Shop, browser: Browser, number: str, notice: str
) -> None:
    await shop.ask_for(500)
    await browser.click(shop.pay_button)

    await browser.type_into("Card number", number)
    await browser.click(shop.pay_button)

    await browser.says(notice)
    assert (await shop.balance(), await shop.status()) == (0, "pending")


async def test_a_customer_who_cancels_comes_back_to_the_cancel_url(
    shop: Shop, browser: Browser
) -> None:
    await shop.ask_for(500)

    await browser.click("Cancel")

    await shop.lands("cancelled", "cancelled")
    assert (await shop.balance(), await shop.status()) == (0, "cancelled")


@pytest.mark.slow
async def test_a_customer_who_cancels_at_the_provider_comes_back_to_the_cancel_url(
    shop: Shop, browser: Browser
) -> None:
    await shop.ask_for(500)
    await browser.click(shop.pay_button)

    await browser.click("Cancel and go back")

    await shop.lands("cancelled", "cancelled")
    assert (await shop.balance(), await shop.status()) == (0, "cancelled")


@pytest.mark.slow
async def test_the_way_back_may_lead_over_another_host_of_the_merchant(
    shop: Shop, browser: Browser
) -> None:
    """Chromium holds the redirects after a form to its page's policy, to their end."""
    await shop.ask_for(500, cancel_url=f"{shop.site}/old")

    await browser.click("Cancel")
    await browser.leaves(shop.stack.url)

    landed = urlsplit(await browser.url())
    assert (landed.hostname, landed.path) == ("localhost", "/moved")
    assert landed.query == f"topup_id={shop.topup['id']}&status=cancelled"


async def test_the_back_button_leads_to_pages_that_say_it_is_over(
    shop: Shop, browser: Browser
) -> None:
    await shop.ask_for(500)
    await browser.click(shop.pay_button)
    await shop.pay_with("good")
    await shop.lands("paid", "completed")

    await browser.back()
    await browser.says("cannot be paid twice")
    await browser.back()
    await browser.says("the money is in the wallet")
    await browser.click("Back to Sandbox")

    await shop.lands("paid", "completed")
    assert await shop.credits() == [500]


async def test_a_double_click_opens_one_session_and_pays_once(shop: Shop, browser: Browser) -> None:
    await shop.ask_for(500)
    checkout = await browser.url()
    await browser.click_twice(shop.pay_button)
    await browser.leaves(checkout)

    provider = await browser.url()
    await browser.type_into("Card number", "4242424242424242")
    await browser.click_twice(shop.pay_button)
    await browser.leaves(provider)

    await shop.lands("paid", "completed")
    assert await shop.credits() == [500]


async def test_two_tabs_that_both_pay_are_one_payment(shop: Shop, browser: Browser) -> None:
    await shop.ask_for(500)
    first = await browser.tab()
    await browser.click(shop.pay_button)
    second = await browser.open_tab()
    await browser.switch_to(second)
    await browser.open(shop.topup["checkout_url"])
    await browser.click(shop.pay_button)
    await browser.leaves(shop.stack.url)
    session = await browser.url()

    await shop.pay_with("good")
    await shop.lands("paid", "completed")
    await browser.switch_to(first)
    assert await browser.url() == session, "both tabs have the same session"
    await shop.pay_with("good")

    await shop.lands("paid", "completed")
    assert await shop.credits() == [500]
    assert await shop.balance() == 500


async def test_a_slow_callback_is_waited_for_on_a_page_that_looks_again(
    shop: Shop, browser: Browser
) -> None:
    await shop.ask_for(500)
    await browser.click(shop.pay_button)

    await shop.pay_with("slow")

    await browser.says("Waiting for the payment")
    assert await shop.status() == "pending"
    await shop.lands("paid", "completed")
    assert await shop.balance() == 500


@pytest.mark.slow
async def test_a_provider_that_is_killed_before_its_callback_tells_of_the_payment_afterwards(
    shop: Shop, browser: Browser
) -> None:
    await shop.ask_for(500)
    await browser.click(shop.pay_button)
    await shop.pay_with("slow")
    await browser.leaves(shop.stack.health_url("sandbox-provider"))

    killed = shop.stack.signal("sandbox-provider", signal.SIGKILL)

    await shop.stack.wait_until_back("sandbox-provider", killed)
    await shop.lands("paid", "completed")
    assert await shop.credits() == [500]


@pytest.mark.slow
async def test_a_callback_that_comes_twice_is_credited_once(shop: Shop, browser: Browser) -> None:
    known = await shop.callbacks("known")
    await shop.ask_for(500)
    await browser.click(shop.pay_button)

    await shop.pay_with("duplicate")

    await shop.lands("paid", "completed")
    await eventually(lambda: _more(shop, "known", known), "the second one has come")
    assert await shop.credits() == [500]
    assert await shop.balance() == 500


async def _more(shop: Shop, outcome: str, before: float) -> bool:
    return await shop.callbacks(outcome) > before


@pytest.mark.slow
async def test_a_payment_that_is_told_of_after_the_end_is_credited_all_the_same(
    shop: Shop, browser: Browser
) -> None:
    await shop.ask_for(500, seconds=6)
    await browser.click(shop.pay_button)

    await shop.pay_with("late")

    # It is over when the browser is back, but the provider says that it is paid: so it waits.
    await shop.lands("paid", "completed")
    await shop.balance_becomes(500)
    assert await shop.status() == "completed"
    assert await shop.credits() == [500]


@pytest.mark.slow
async def test_a_callback_with_a_wrong_signature_is_refused_and_the_money_still_arrives(
    shop: Shop, browser: Browser
) -> None:
    forged = await shop.callbacks("forged")
    await shop.ask_for(500)
    await browser.click(shop.pay_button)

    await shop.pay_with("forged")

    await shop.lands("paid", "completed")
    assert await shop.callbacks("forged") == forged + 1
    assert await shop.credits() == [500]


@pytest.mark.slow
async def test_a_top_up_whose_time_is_over_cannot_be_paid(shop: Shop, browser: Browser) -> None:
    await shop.ask_for(500, seconds=4)
    await browser.click(shop.pay_button)
    await eventually(lambda: _says(shop, "expired"), "the top-up has expired")

    await shop.pay_with("good")
    await browser.says("Nothing was paid")
    await browser.click("Back to Sandbox")

    await shop.lands("paid", "expired")
    await browser.open(shop.topup["checkout_url"])
    await browser.says("The time for this payment is over")
    assert await shop.balance() == 0


async def _says(shop: Shop, status: str) -> bool:
    return await shop.status() == status


async def test_both_pages_can_be_used_with_a_keyboard_alone(shop: Shop, browser: Browser) -> None:
    await shop.ask_for(500)
    await browser.press("Tab", "Enter")
    await browser.leaves(shop.stack.url)

    await browser.press("Tab", *"4242424242424242", "Enter")

    await shop.lands("paid", "completed")
    assert await shop.balance() == 500


@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_both_pages_fit_a_narrow_screen_in_light_and_dark(
    shop: Shop, browser: Browser, scheme: str
) -> None:
    await browser.emulate(
        "Emulation.setDeviceMetricsOverride",
        width=320,
        height=640,
        deviceScaleFactor=1,
        mobile=True,
    )
    preference = [{"name": "prefers-color-scheme", "value": scheme}]
    await browser.emulate("Emulation.setEmulatedMedia", features=preference)

    await shop.ask_for(9_007_199_254_740_991, description="W" * 200)
    await _fits(browser, scheme)
    await browser.click("Pay GH₵90,071,992,547,409.91")
    await browser.says("Test cards")
    await _fits(browser, scheme)


async def _fits(browser: Browser, scheme: str) -> None:
    assert await browser.run("return document.documentElement.scrollWidth") == 320
    colour = await browser.run("return getComputedStyle(document.body).backgroundColor")
    brightness = sum(int(part) for part in colour.strip("rgb()").split(",")) / 3
    assert (brightness < 64) if scheme == "dark" else (brightness > 192), colour

"""Journeys of people through the application, each a film in ``.videos/``."""

import re
import subprocess
from pathlib import Path

from playwright.sync_api import Locator, Page, Route, WebSocketRoute, expect

from tests.browser.conftest import World, log_in


def rows(page: Page) -> Locator:
    return page.get_by_role("list", name="Parts").locator("[data-row]")


def row(page: Page, name: str) -> Locator:
    return rows(page).filter(has=page.get_by_role("link", name=name, exact=True))


def listed(page: Page, address: str) -> None:
    """Open a list and wait until there is one: keys mean its rows."""
    page.goto(address)
    expect(rows(page).first).to_be_visible()


def total(of: Locator) -> int:
    return int(of.locator("[data-total]").inner_text().replace("\u202f", ""))


def message(page: Page, text: str | re.Pattern[str]) -> Locator:
    """Say what is expected at the lower edge of the page; return it."""
    found = page.get_by_role("status").locator(".message").filter(has_text=text)
    expect(found).to_be_visible()
    return found


def take(page: Page, quantity: int | str) -> None:
    """Take from where one is, as people do who have a keyboard."""
    page.keyboard.press("t")
    page.keyboard.type(f"{quantity}")
    page.keyboard.press("Enter")


def test_take_three_in_two_keystrokes_and_a_number(keeper: Page) -> None:
    keeper.goto("/")
    expect(keeper.get_by_role("heading", name="Running low")).to_be_visible()
    keeper.keyboard.press("/")
    keeper.keyboard.type("resistor 4k7 0805")
    keeper.keyboard.press("Enter")
    wanted = row(keeper, "Resistor 4k7 0805")
    expect(wanted).to_be_visible()
    before = total(wanted)
    keeper.keyboard.press("Escape")
    keeper.locator("main").focus()
    keeper.keyboard.press("j")
    expect(wanted).to_have_class(re.compile("current"))
    take(keeper, 3)
    message(keeper, "Took 3 from A1")
    expect(wanted.locator("[data-total]")).to_have_text(f"{before - 3}")
    expect(wanted.get_by_role("link", name="Resistor 4k7 0805")).to_be_focused()
    keeper.keyboard.press("u")
    message(keeper, "Undone")
    expect(wanted.locator("[data-total]")).to_have_text(f"{before}")


def test_who_wants_too_many_is_told_how_many_there_are(keeper: Page) -> None:
    listed(keeper, "/parts?q=LM386")
    wanted = row(keeper, "Audio amplifier LM386")
    before = total(wanted)
    take(keeper, "nine")
    expect(wanted.get_by_role("alert")).to_have_text("a whole number, such as 3 or 2k")
    keeper.keyboard.type(f"{before + 1}")
    keeper.keyboard.press("Enter")
    short = message(keeper, f"Only {before} left in B3-1")
    short.get_by_role("button", name=f"Take {before}").click()
    message(keeper, f"Took {before} from B3-1, 0 there now")
    expect(wanted.locator("[data-total]")).to_have_text("0")
    expect(wanted.get_by_role("button", name="Take Audio amplifier LM386")).to_be_disabled()


def test_an_answer_that_is_lost_takes_nothing_twice(keeper: Page) -> None:
    keys: list[str] = []

    def lose(route: Route) -> None:
        """The server does it, and the network loses the answer, twice."""
        keys.append(route.request.headers["idempotency-key"])
        answer = route.fetch()
        if len(keys) <= 2:
            route.abort("connectionreset")
        else:
            route.fulfill(response=answer)

    keeper.route("**/take", lose)
    listed(keeper, "/parts?q=WS2812B")
    wanted = row(keeper, "Addressable LED WS2812B")
    before = total(wanted)
    take(keeper, 5)
    message(keeper, "No connection. It is sent as soon as there is one.")
    message(keeper, f"Took 5 from B1, {before - 5} there now")
    expect(wanted.locator("[data-total]")).to_have_text(f"{before - 5}")
    assert len(keys) == 3
    assert len(set(keys)) == 1
    keeper.reload()
    expect(wanted.locator("[data-total]")).to_have_text(f"{before - 5}")


def test_what_others_do_is_shown_and_nothing_is_missed(visitor: Page, another: Page) -> None:
    connections: list[WebSocketRoute] = []
    asked: list[str] = []
    cut = False

    def wire(socket: WebSocketRoute) -> None:
        asked.append(socket.url)
        if cut:
            socket.close(code=1012)
            return
        connections.append(socket)
        socket.connect_to_server()

    visitor.route_web_socket("**/ws/movements*", wire)
    listed(visitor, "/parts?q=LM317")
    wanted = row(visitor, "Adjustable regulator LM317")
    live = visitor.get_by_title("Live: what others do is shown as they do it")
    expect(live).to_be_visible()
    before = total(wanted)

    listed(another, "/parts?q=LM317")
    take(another, 1)
    expect(wanted.locator("[data-total]")).to_have_text(f"{before - 1}")

    cut = True  # a release: the server says that it restarts, and nobody listens for a while
    connections[-1].close(code=1012)
    expect(visitor.get_by_title("Cut off")).to_be_visible()
    for left in (before - 2, before - 3):
        take(another, 1)
        message(another, f"{left} there now")
    assert total(wanted) == before - 1
    cut = False
    expect(wanted.locator("[data-total]")).to_have_text(f"{before - 3}")
    expect(live).to_be_visible()
    assert re.search(r"\?after=\d+$", asked[-1])


def test_a_part_from_its_making_to_its_end(keeper: Page) -> None:
    listed(keeper, "/parts")
    keeper.keyboard.press("n")
    keeper.get_by_label("Name", exact=True).fill("Resistor of the journey")
    keeper.get_by_label("Type").select_option(label="\u2003Thick film")
    keeper.get_by_label("Part number").fill("JOURNEY-1")
    keeper.get_by_label("Resistance").fill("4k7 volts")
    keeper.get_by_role("button", name="Save").click()
    expect(keeper.get_by_role("alert")).to_be_visible()
    expect(keeper.get_by_label("Resistance")).to_have_attribute("aria-invalid", "true")
    keeper.get_by_label("Resistance").fill("4k7")
    keeper.get_by_role("button", name="Save").click()

    expect(keeper.get_by_role("heading", name="Resistor of the journey")).to_be_visible()
    expect(keeper.get_by_text("4.7 kΩ")).to_be_visible()
    stock = keeper.get_by_role("region", name="Stock")
    keeper.keyboard.press("a")
    keeper.keyboard.type("10")
    stock.get_by_label("Box").select_option("A2")
    keeper.keyboard.press("Enter")
    expect(stock.locator("[data-total]")).to_have_text("10")
    keeper.get_by_role("button", name="Move v").click()
    keeper.keyboard.type("4")
    stock.get_by_label("To box").select_option("B2")
    stock.get_by_role("button", name="Move", exact=True).click()
    message(keeper, "Moved 4 from A2 to B2")
    expect(stock.get_by_role("listitem")).to_have_text([re.compile("A2.*6"), re.compile("B2.*4")])
    history = keeper.get_by_role("region", name="What was done to it")
    expect(history.get_by_role("listitem")).to_have_count(3)
    history.get_by_role("button", name=re.compile("Undo: .4 .* moved from A2")).click()
    expect(stock.get_by_role("listitem")).to_have_text([re.compile("A2.*10")])

    keeper.keyboard.press("e")
    keeper.get_by_label("Minimum stock").fill("20")
    keeper.get_by_role("button", name="Save").click()
    expect(keeper.get_by_text("low, minimum 20")).to_be_visible()
    keeper.goto("/low")
    expect(row(keeper, "Resistor of the journey")).to_be_visible()


def test_counting_what_is_there(keeper: Page) -> None:
    listed(keeper, "/parts?q=LM2596")
    wanted = row(keeper, "Buck converter LM2596 5 V")
    keeper.keyboard.press("c")
    keeper.keyboard.type("0")
    keeper.keyboard.press("Enter")
    message(keeper, "Counted in B3-1, 0 there now")
    expect(wanted.locator("[data-total]")).to_have_text("0")
    keeper.keyboard.press("u")
    message(keeper, "Undone")
    expect(wanted.locator("[data-total]")).not_to_have_text("0")


def test_a_photo_of_a_part(keeper: Page, tmp_path: Path) -> None:
    photo = tmp_path / "photo.png"
    make = ["ffmpeg", "-loglevel", "error", "-f", "lavfi", "-i", "testsrc=size=640x480", "-frames:v", "1", str(photo)]
    subprocess.run(make, check=True)
    fraud = tmp_path / "datasheet.pdf"
    fraud.write_text("<html><script>alert(1)</script>")
    listed(keeper, "/parts?q=ATmega328P")
    rows(keeper).first.get_by_role("link").first.click()
    files = keeper.get_by_role("region", name="Datasheets and photos")
    field = files.get_by_label("Attach a PDF or a photo")
    field.set_input_files(photo)
    message(keeper, "Attached photo.png")
    image = files.locator("img")
    expect(image).to_be_visible()
    keeper.wait_for_function("document.querySelector('img[width=\"64\"]').naturalWidth > 0")
    field.set_input_files(fraud)
    message(keeper, re.compile("^datasheet.pdf: "))
    expect(files.get_by_role("listitem")).to_have_count(1)
    keeper.once("dialog", lambda dialog: dialog.accept())
    files.get_by_role("button", name="Delete photo.png").click()
    expect(files.get_by_text("None.")).to_be_visible()


def test_what_runs_low_is_bought_where_it_is_cheapest(keeper: Page) -> None:
    listed(keeper, "/low?")
    rows(keeper).filter(has_text="Zener diode 5V1").get_by_role("link").first.click()
    offers = keeper.get_by_role("region", name="Who sells it")
    for shop, price in (("Dear", "0.30"), ("Cheap", "0,01")):
        offers.get_by_role("button", name="New offer").click()
        offers.get_by_label("Shop").fill(shop)
        offers.get_by_label("Order number").fill(f"{shop}-5V1")
        offers.get_by_label("Price each").fill(price)
        offers.get_by_role("button", name="Write it down").click()
        expect(offers.get_by_role("cell", name=shop, exact=True)).to_be_visible()
    keeper.keyboard.press("g")
    keeper.keyboard.press("w")
    order = keeper.get_by_role("region", name="Cheap", exact=True)
    expect(order.get_by_role("row", name=re.compile("Zener diode 5V1 Cheap-5V1"))).to_be_visible()
    expect(keeper.get_by_role("region", name="Dear", exact=True)).to_have_count(0)


def test_a_project_from_its_bill_of_material_to_its_boards(keeper: Page, tmp_path: Path) -> None:
    bom = tmp_path / "board.csv"
    bom.write_text(
        '"Reference","Value","Footprint","Qty","DNP"\n'
        '"R1,R2","10k","Resistor_SMD:R_0805_2012Metric","2",""\n'
        '"C1","100n","Capacitor_SMD:C_0805_2012Metric","1",""\n'
        '"J1","Conn_01x02","","1","DNP"\n'
    )
    keeper.goto("/projects")
    keeper.get_by_role("button", name="New project").click()
    keeper.get_by_label("Name of the project").fill("Power supply")
    keeper.keyboard.press("Enter")
    expect(keeper.get_by_role("heading", name="Power supply")).to_be_visible()
    keeper.get_by_role("button", name="Import from KiCad").click()
    form = keeper.get_by_role("form", name="Import a bill of material")
    form.get_by_label("The file that KiCad wrote").set_input_files(bom)
    expect(form.get_by_role("status")).to_contain_text("3 lines")
    form.get_by_role("button", name="Import", exact=True).click()
    table = keeper.get_by_role("region", name="Bill of material")
    expect(table.get_by_role("row")).to_have_count(4)
    expect(table.get_by_role("row", name="R1 R2")).to_contain_text("there")
    expect(table.get_by_role("row", name="J1")).to_contain_text("not placed")
    keeper.get_by_label("Boards").fill("2")
    keeper.keyboard.press("Enter")
    keeper.get_by_role("button", name="Build 2").click()
    message(keeper, "Took the parts of 2 boards")
    built = keeper.get_by_role("region", name="Built")
    built.get_by_role("button", name="Take back").click()
    message(keeper, "Everything is back in its boxes")
    expect(built).to_contain_text("taken back")
    keeper.get_by_label("Boards").fill("9999")
    keeper.keyboard.press("Enter")
    expect(keeper.get_by_text("Not everything is there.")).to_be_visible()
    keeper.get_by_role("link", name="What to buy").last.click()
    expect(keeper.get_by_role("region", name="Overseas Components", exact=True)).to_be_visible()


def test_a_file_is_tried_and_then_imported(keeper: Page, tmp_path: Path) -> None:
    file = tmp_path / "parts.csv"
    file.write_text(
        "name;mpn;manufacturer;type;attr:resistance;box;quantity\n"
        "Resistor of a file;FILE-1;Acme;Thick film;4k7;A1;25\n"
        "Resistor that is wrong;FILE-2;Acme;Thick film;many;A1;2\n"
    )
    keeper.goto("/imports")
    field = keeper.get_by_label("A CSV file, by commas, semicolons or tabs")
    field.set_input_files(file)
    keeper.get_by_role("button", name="Say what would come of it").click()
    outcome = keeper.get_by_role("region", name="What comes of it")
    expect(outcome.get_by_role("row", name=re.compile("3 wrong attr:resistance"))).to_be_visible()
    expect(outcome.get_by_role("button", name="Import 2 rows")).to_be_disabled()
    file.write_text(file.read_text().replace("many", "10k"))
    field.set_input_files(file)
    keeper.get_by_role("button", name="Say what would come of it").click()
    outcome.get_by_role("button", name="Import 2 rows").click()
    expect(outcome.get_by_role("status")).to_have_text("Imported 2 rows.")
    listed(keeper, "/parts?q=FILE-1")
    assert total(row(keeper, "Resistor of a file")) == 25


def test_boxes_in_boxes(keeper: Page) -> None:
    keeper.goto("/boxes/RACK-1")
    keeper.get_by_role("button", name="Box inside").click()
    keeper.get_by_label("Code").fill("a1")
    keeper.get_by_label("Name", exact=True).fill("Odds and ends")
    keeper.get_by_role("button", name="Save").click()
    expect(keeper.get_by_role("alert")).to_have_text("there is a box A1")
    keeper.get_by_label("Code").fill("a9")
    keeper.get_by_role("button", name="Save").click()
    expect(keeper.get_by_role("heading", name="A9 Odds and ends")).to_be_visible()
    expect(keeper.get_by_role("list", name="Stands in")).to_have_text("RACK-1")
    expect(keeper.get_by_text("Nothing is in it.")).to_be_visible()
    keeper.get_by_role("button", name="Delete this box").click()
    message(keeper, "Deleted box A9")
    expect(keeper.get_by_role("table")).to_contain_text("RACK-1")
    expect(keeper.get_by_role("link", name="A9")).to_have_count(0)


def test_find_by_requirement_and_keep_it(keeper: Page) -> None:
    keeper.goto("/find")
    keeper.get_by_label("Requirement in words").fill("inductor, 10uH, ≥ 1A, in stock")
    keeper.keyboard.press("Enter")
    suits = keeper.get_by_role("region", name=re.compile("suits?$"))
    expect(suits.get_by_role("link", name="Coil 10u shielded")).to_be_visible()
    could = keeper.get_by_role("region", name="1 part could suit")
    expect(could.get_by_role("link", name="Ferrite bead 600R")).to_be_visible()
    keeper.get_by_label("Requirement in words").fill("capacitor, ≥ 1 µF, X7R, in stock")
    keeper.keyboard.press("Enter")
    expect(keeper.get_by_role("link", name="Ferrite bead 600R")).to_have_count(0)
    expect(suits.get_by_role("link", name="Capacitor 1uF 25V X7R")).to_be_visible()
    keeper.get_by_role("button", name="Form").click()
    form = keeper.get_by_role("form", name="Requirement as a form")
    expect(form.get_by_label("Capacitance")).to_have_value("≥ 1 µF")
    form.get_by_label("Rated voltage").fill("much")
    form.get_by_role("button", name="Find").click()
    expect(form.get_by_role("alert")).to_be_visible()
    form.get_by_label("Rated voltage").fill("≥ 16 V")
    form.get_by_role("button", name="Find").click()
    expect(keeper.get_by_text("≥ 16 V")).to_be_visible()
    expect(suits.get_by_role("link", name="Capacitor 1uF 25V X7R")).to_be_visible()
    keeper.get_by_label("Name of the requirement").fill("decoupling")
    keeper.get_by_role("button", name="Save this requirement").click()
    message(keeper, "Saved as decoupling")
    keeper.goto("/find")
    keeper.get_by_role("link", name="decoupling").click()
    expect(suits.get_by_role("link", name="Capacitor 1uF 25V X7R")).to_be_visible()
    keeper.get_by_role("button", name="Forget decoupling").click()
    expect(keeper.get_by_role("link", name="decoupling")).to_have_count(0)


def test_history_tells_who_and_takes_back(keeper: Page) -> None:
    listed(keeper, "/parts?q=MT3608")
    take(keeper, 2)
    message(keeper, "Took 2 from B3-1")
    keeper.keyboard.press("g")
    keeper.keyboard.press("h")
    first = keeper.get_by_role("region", name="Movements, the newest first").get_by_role("listitem").first
    expect(first).to_contain_text(re.compile(r"−2\s*Boost converter MT3608 taken from B3-1.*keeper", re.DOTALL))
    first.get_by_role("button", name=re.compile("^Undo")).click()
    expect(first).to_contain_text(re.compile(r"\+2\s*Boost converter MT3608 put back into B3-1", re.DOTALL))
    keeper.get_by_role("link", name="B3-1").first.click()
    keeper.locator("main").get_by_role("link", name="History").click()
    expect(keeper.get_by_role("heading", name="History of box B3-1")).to_be_visible()


def test_each_role_sees_what_it_may_do(visitor: Page, world: World) -> None:
    listed(visitor, "/parts?q=BC547")
    expect(visitor.get_by_role("button", name=re.compile("^Take"))).to_have_count(0)
    visitor.keyboard.press("t")
    message(visitor, "Log in as a keeper to change the stock")
    visitor.get_by_role("link", name="Log in").click()
    visitor.get_by_label("Name").fill("viewer")
    visitor.get_by_label("Password").fill("wrong")
    visitor.get_by_role("button", name="Log in").click()
    expect(visitor.get_by_role("alert")).to_have_text("Name or password is wrong.")
    visitor.get_by_label("Password").fill("viewer")
    visitor.get_by_role("button", name="Log in").click()
    expect(visitor).to_have_url(re.compile(r"/parts\?q=BC547$"))
    expect(visitor.get_by_role("link", name="New part")).to_have_count(0)
    visitor.get_by_role("button", name="Log out").click()
    expect(visitor.get_by_role("link", name="Log in")).to_be_visible()

    log_in(visitor, world, "admin")
    visitor.get_by_role("link", name="admin").click()
    visitor.get_by_role("link", name="People and roles").click()
    role = visitor.get_by_label("Role of admin")
    role.select_option("viewer")
    message(visitor, "admin is the only admin")
    expect(role).to_have_value("admin")
    visitor.get_by_label("Role of viewer").select_option("keeper")
    message(visitor, "Changed viewer")
    visitor.get_by_label("Role of viewer").select_option("viewer")
    message(visitor, "Changed viewer").last.wait_for()


def test_a_login_in_another_tab_stops_nothing(visitor: Page, world: World) -> None:
    """It makes the CSRF token of this one stale."""
    log_in(visitor, world, "keeper")
    listed(visitor, "/parts?q=L7805CV")
    other = visitor.context.new_page()
    other.goto("/")
    other.get_by_role("button", name="Log out").click()
    expect(other.get_by_role("link", name="Log in")).to_be_visible()
    log_in(other, world, "keeper")
    other.close()
    take(visitor, 1)
    message(visitor, "Took 1 from B3-1")


def test_a_token_is_shown_once(keeper: Page) -> None:
    keeper.goto("/account")
    keeper.get_by_label("What it is for").fill("scale")
    keeper.get_by_role("button", name="Make a token").click()
    expect(keeper.get_by_text(re.compile(r"Copy it now, .* swt_\S{40}"))).to_be_visible()
    keeper.reload()
    expect(keeper.get_by_role("cell", name="scale", exact=True)).to_be_visible()
    expect(keeper.get_by_text("Copy it now")).to_have_count(0)
    keeper.get_by_role("button", name="Revoke scale").click()
    message(keeper, "Revoked scale")
    expect(keeper.get_by_role("cell", name="scale", exact=True)).to_have_count(0)


def test_a_printed_label_leads_to_its_box(visitor: Page, lens: Path, tmp_path: Path) -> None:
    visitor.goto("/labels?boxes=B3-1")
    label = tmp_path / "label.png"
    visitor.get_by_role("img", name="Code of B3-1").screenshot(path=label)
    # What was printed is held before the camera, at some distance on a table.
    scene = "scale=300:300,pad=640:480:170:90:color=gray,format=yuvj420p"
    film = ["ffmpeg", "-loglevel", "error", "-loop", "1", "-i", str(label), "-vf", scene, "-t", "1", "-r", "10"]
    subprocess.run([*film, "-c:v", "mjpeg", "-q:v", "2", str(lens)], check=True)
    visitor.goto("/scan")
    expect(visitor).to_have_url(re.compile("/boxes/B3-1$"))
    expect(visitor.get_by_role("heading", name="B3-1")).to_be_visible()
    lens.unlink()


def test_a_label_that_cannot_be_read_is_typed(visitor: Page) -> None:
    visitor.goto("/scan")
    visitor.get_by_label("Or type what is written on it").fill("b2")
    visitor.keyboard.press("Enter")
    expect(visitor).to_have_url(re.compile("/boxes/B2$"))
    visitor.goto("/scan")
    visitor.get_by_label("Or type what is written on it").fill("bc547")
    visitor.keyboard.press("Enter")
    expect(visitor).to_have_url(re.compile(r"/parts\?q=bc547$"))


def test_keys_are_told_and_lead_everywhere(visitor: Page) -> None:
    listed(visitor, "/parts")
    visitor.keyboard.press("?")
    keys = visitor.get_by_role("dialog", name="Keys")
    expect(keys).to_contain_text("take from this row")
    visitor.keyboard.press("Escape")
    expect(keys).to_be_hidden()
    for key, heading in (("b", "Boxes"), ("l", "Low stock"), ("f", "Find by"), ("p", "Parts")):
        visitor.keyboard.press("g")
        visitor.keyboard.press(key)
        expect(visitor.get_by_role("heading", name=heading).first).to_be_visible()
        expect(visitor.locator("main")).to_be_focused()


def test_on_a_phone(keeper: Page) -> None:
    keeper.set_viewport_size({"width": 390, "height": 780})
    listed(keeper, "/parts?q=IRLZ44N")
    assert keeper.evaluate("document.documentElement.scrollWidth") == 390
    keeper.get_by_role("button", name=re.compile("^Add")).first.click()
    keeper.keyboard.type("1")
    keeper.get_by_role("button", name="Add", exact=True).click()
    message(keeper, "Added 1 to")
    keeper.get_by_role("button", name="More").click()
    keeper.get_by_role("link", name="History").click()
    expect(keeper.get_by_role("heading", name="History")).to_be_visible()
    assert keeper.evaluate("document.documentElement.scrollWidth") == 390

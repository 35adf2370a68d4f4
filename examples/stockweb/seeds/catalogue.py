"""Types, parts and boxes. Pure: the same on every machine and in every run."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class AttributeSeed:
    """An attribute: how it is matched (``kind`` and ``match`` of ``AttributeDefinition``), and its choices."""

    key: str
    label: str
    unit: str = ""
    kind: str = "quantity"
    match: str = "exact"
    choices: tuple[str, ...] = ()
    required: bool = False


def _rating(key: str, label: str, unit: str) -> AttributeSeed:
    """More is fine."""
    return AttributeSeed(key, label, unit, match="higher")


def _range(key: str, label: str, unit: str) -> AttributeSeed:
    return AttributeSeed(key, label, unit, "range", "covers")


def _choice(key: str, label: str, *choices: str) -> AttributeSeed:
    return AttributeSeed(key, label, kind="choice", match="one of", choices=choices)


_TOLERANCE = AttributeSeed("tolerance", "Tolerance", "%", match="lower")

#: What the letters of references mean.
DESIGNATORS: Mapping[tuple[str, ...], str] = {
    ("Resistor",): "R",
    ("Capacitor",): "C",
    ("Inductor",): "L",
    ("Semiconductor", "Diode"): "D",
    ("Semiconductor", "LED"): "LED",
    ("Semiconductor", "Transistor"): "Q",
    ("Integrated circuit",): "U IC",
    ("Connector",): "J",
    ("Crystal",): "Y",
    ("Switch",): "SW",
}

#: Type path -> its own attributes. A type also has those of the types above it.
TYPES: Mapping[tuple[str, ...], tuple[AttributeSeed, ...]] = {
    ("Resistor",): (
        AttributeSeed("resistance", "Resistance", "ohm", required=True),
        _TOLERANCE,
        _rating("power", "Power", "W"),
    ),
    ("Resistor", "Thick film"): (),
    ("Resistor", "Metal film"): (),
    ("Capacitor",): (
        AttributeSeed("capacitance", "Capacitance", "F", required=True),
        _rating("voltage", "Rated voltage", "V"),
        _TOLERANCE,
    ),
    ("Capacitor", "Ceramic"): (_choice("dielectric", "Dielectric", "C0G", "X7R", "X5R", "Y5V"),),
    ("Capacitor", "Electrolytic"): (_rating("lifetime", "Life at 105 °C", "s"),),
    ("Inductor",): (AttributeSeed("inductance", "Inductance", "H"), _rating("current", "Rated current", "A")),
    ("Semiconductor",): (),
    ("Semiconductor", "Diode"): (
        _rating("voltage", "Reverse voltage", "V"),
        _rating("current", "Forward current", "A"),
    ),
    ("Semiconductor", "LED"): (
        _choice("colour", "Colour", "red", "green", "yellow", "blue", "white", "RGB"),
        AttributeSeed("forward", "Forward voltage", "V"),
    ),
    ("Semiconductor", "Transistor"): (
        _choice("polarity", "Polarity", "NPN", "PNP", "N", "P"),
        _rating("voltage", "Breakdown voltage", "V"),
        _rating("current", "Maximum current", "A"),
    ),
    ("Integrated circuit",): (_range("supply", "Supply", "V"), _range("temperature", "Temperature", "degC")),
    ("Integrated circuit", "Logic"): (),
    ("Integrated circuit", "Amplifier"): (
        _rating("channels", "Channels", "count"),
        AttributeSeed("rail-to-rail", "Rail to rail", kind="boolean", match="one of"),
    ),
    ("Integrated circuit", "Regulator"): (
        _range("output", "Output", "V"),
        _rating("current", "Maximum current", "A"),
    ),
    ("Integrated circuit", "Microcontroller"): (_rating("flash", "Flash", "B"), _rating("clock", "Clock", "Hz")),
    ("Integrated circuit", "Sensor"): (_choice("interface", "Interface", "1-Wire", "I²C", "SPI", "I²C or SPI"),),
    ("Connector",): (AttributeSeed("pins", "Pins", "count"), AttributeSeed("pitch", "Pitch", "m")),
    ("Crystal",): (AttributeSeed("frequency", "Frequency", "Hz"), AttributeSeed("load", "Load capacitance", "F")),
    ("Switch",): (
        AttributeSeed("contacts", "Contacts", kind="text", match="one of"),
        _rating("current", "Rated current", "A"),
    ),
}

#: Code, name, kind, code of what it stands in.
BOXES: tuple[tuple[str, str, str, str | None], ...] = (
    ("RACK-1", "Wall by the window", "shelf", None),
    ("A1", "Resistors, SMD", "box", "RACK-1"),
    ("A2", "Resistors, wired", "box", "RACK-1"),
    ("A3", "Capacitors, ceramic", "box", "RACK-1"),
    ("A4", "Capacitors, electrolytic", "box", "RACK-1"),
    ("RACK-2", "Wall by the door", "shelf", None),
    ("B1", "Diodes and LEDs", "box", "RACK-2"),
    ("B2", "Transistors", "box", "RACK-2"),
    ("B3", "Integrated circuits", "box", "RACK-2"),
    ("B3-1", "Logic and amplifiers", "drawer", "B3"),
    ("B3-2", "Controllers and sensors", "drawer", "B3"),
    ("B4", "Coils and crystals", "box", "RACK-2"),
    ("B5", "Connectors and switches", "box", "RACK-2"),
    ("BENCH", "On the workbench", "box", None),
)


@dataclass(frozen=True)
class PartSeed:
    """A part, its attribute values as people write them, and how many are in which box."""

    type: tuple[str, ...]
    name: str
    mpn: str
    manufacturer: str
    package: str
    tags: str
    values: Mapping[str, str]
    min_qty: int
    stock: Mapping[str, int]
    description: str = field(default="")


def parts() -> Iterator[PartSeed]:
    """Yield every part, about two hundred."""
    yield from _chip_resistors()
    yield from _wired_resistors()
    yield from _ceramic_capacitors()
    yield from _electrolytic_capacitors()
    yield from _listed()


_E6 = ("10", "15", "22", "33", "47", "68")
_E12 = ("10", "12", "15", "18", "22", "27", "33", "39", "47", "56", "68", "82")


def spread(number: int, low: int, high: int) -> int:
    """Return a whole number between two bounds that looks like chance; the same for the same number."""
    return low + (number * 2_654_435_761 % 4_294_967_296) * (high - low) // 4_294_967_296


def _rkm(digits: str, exponent: int) -> str:
    """Write a resistance as it is printed: 4R7, 47R, 470R, 4k7, 47k, 470k, 4M7."""
    magnitude = exponent + 1  # of the first digit
    letter = "RkM"[magnitude // 3]
    places = magnitude % 3 + 1  # before the letter
    return f"{digits[:places].ljust(places, '0')}{letter}{digits[places:].rstrip('0')}"


def _chip_resistors() -> Iterator[PartSeed]:
    """Yageo RC0805: the number carries the value in the same way as people write it."""
    number = 0
    for exponent in range(5):
        for digits in _E12:
            number += 1
            value = _rkm(digits, exponent)
            boxes = {"A1": spread(number, 15, 300)} | ({"BENCH": spread(number, 1, 20)} if number % 7 == 0 else {})
            yield PartSeed(
                type=("Resistor", "Thick film"),
                name=f"Resistor {value} 0805",
                mpn=f"RC0805FR-07{value.upper()}L",
                manufacturer="Yageo",
                package="0805",
                tags="smd basic",
                values={"resistance": value, "tolerance": "±1%", "power": "1/8W"},
                min_qty=25,
                stock=boxes,
            )


def _wired_resistors() -> Iterator[PartSeed]:
    for number, (digits, exponent) in enumerate(((d, e) for e in range(5) for d in _E6), start=100):
        value = _rkm(digits, exponent)
        yield PartSeed(
            type=("Resistor", "Metal film"),
            name=f"Resistor {value} ¼ W",
            mpn=f"MFR-25FBF52-{value.upper()}",
            manufacturer="Yageo",
            package="axial",
            tags="tht basic",
            values={"resistance": value, "tolerance": "±1%", "power": "1/4W"},
            min_qty=10,
            stock={"A2": spread(number, 5, 120)},
        )


@dataclass(frozen=True)
class _Series:
    """KEMET C0805: the number is C0805C, the capacitance in picofarad as two digits and a count of zeros, and this."""

    dielectric: str
    voltage: str
    tolerance: str
    ending: str
    values: tuple[tuple[str, str], ...]


_CERAMICS = (
    _Series(
        "C0G",
        "50V",
        "±5%",
        "J5GAC",
        (("10p", "100"), ("22p", "220"), ("47p", "470"), ("100p", "101"), ("220p", "221"), ("470p", "471")),
    ),
    _Series(
        "X7R",
        "50V",
        "±10%",
        "K5RAC",
        (
            *(("1n", "102"), ("2n2", "222"), ("4n7", "472"), ("10n", "103"), ("22n", "223"), ("47n", "473")),
            ("100n", "104"),
        ),
    ),
    _Series("X7R", "25V", "±10%", "K3RAC", (("220n", "224"), ("470n", "474"), ("1u", "105"))),
    _Series("X5R", "6.3V", "±20%", "M9PAC", (("2u2", "225"), ("4u7", "475"), ("10u", "106"), ("22u", "226"))),
)


def _ceramic_capacitors() -> Iterator[PartSeed]:
    every = [(series, value, code) for series in _CERAMICS for value, code in series.values]
    for number, (series, value, code) in enumerate(every, start=200):
        yield PartSeed(
            type=("Capacitor", "Ceramic"),
            name=f"Capacitor {value}F {series.voltage} {series.dielectric}",
            mpn=f"C0805C{code}{series.ending}",
            manufacturer="KEMET",
            package="0805",
            tags="smd mlcc basic",
            values={
                "capacitance": f"{value}F",
                "voltage": series.voltage,
                "tolerance": series.tolerance,
                "dielectric": series.dielectric,
            },
            min_qty=20,
            stock={"A3": spread(number, 12, 250)},
        )


def _electrolytic_capacitors() -> Iterator[PartSeed]:
    """Panasonic FR: capacitance in microfarad as two digits and a count of zeros."""
    rows = (
        ("10u", "100", "50V", "1H"),
        ("22u", "220", "50V", "1H"),
        ("47u", "470", "50V", "1H"),
        ("100u", "101", "35V", "1V"),
        ("220u", "221", "35V", "1V"),
        ("330u", "331", "35V", "1V"),
        ("470u", "471", "25V", "1E"),
        ("680u", "681", "25V", "1E"),
        ("1000u", "102", "25V", "1E"),
        ("2200u", "222", "16V", "1C"),
    )
    for number, (value, code, voltage, letters) in enumerate(rows, start=300):
        yield PartSeed(
            type=("Capacitor", "Electrolytic"),
            name=f"Capacitor {value}F {voltage}",
            mpn=f"EEU-FR{letters}{code}",
            manufacturer="Panasonic",
            package="radial",
            tags="tht low-esr",
            values={"capacitance": f"{value}F", "voltage": voltage, "tolerance": "±20%", "lifetime": "10000 h"},
            min_qty=5,
            stock={"A4": spread(number, 2, 40)},
        )


#: Type, box, then: name | number | manufacturer | package | tags | attribute=value, ... | minimum | quantity
_LISTED: tuple[tuple[tuple[str, ...], str, str], ...] = (
    (
        ("Inductor",),
        "B4",
        """
        Coil 2u2 shielded | SRN4018-2R2M | Bourns | 4018 | smd power | inductance=2u2H, current=2.7A | 5 | 18
        Coil 4u7 shielded | SRN4018-4R7M | Bourns | 4018 | smd power | inductance=4u7H, current=1.9A | 5 | 22
        Coil 10u shielded | SRN4018-100M | Bourns | 4018 | smd power | inductance=10uH, current=1.35A | 5 | 3
        Coil 22u shielded | SRN6045-220M | Bourns | 6045 | smd power | inductance=22uH, current=1.5A | 5 | 11
        Coil 100u | RLB0914-101KL | Bourns | radial | tht | inductance=100uH, current=0.7A | 4 | 9
        Ferrite bead 600R | BLM21PG601SN1D | Murata | 0805 | smd filter | current=1.5A | 20 | 64
        """,
    ),
    (
        ("Semiconductor", "Diode"),
        "B1",
        """
        Small-signal diode 1N4148 | 1N4148 | onsemi | DO-35 | tht basic | voltage=100V, current=200mA | 25 | 180
        Small-signal diode 1N4148W | 1N4148W-7-F | Diodes Inc. | SOD-123 | smd basic | voltage=100V, current=300mA | 25 | 96
        Rectifier 1N4007 | 1N4007 | onsemi | DO-41 | tht basic | voltage=1000V, current=1A | 20 | 75
        Schottky diode 1N5819 | 1N5819 | STMicroelectronics | DO-41 | tht | voltage=40V, current=1A | 15 | 33
        Schottky diode SS14 | SS14 | onsemi | DO-214AC | smd | voltage=40V, current=1A | 15 | 41
        Schottky diode BAT54 | BAT54S,215 | Nexperia | SOT-23 | smd dual | voltage=30V, current=200mA | 10 | 28
        Zener diode 3V3 | BZX55C3V3 | Vishay | DO-35 | tht | voltage=3V3, current=75mA | 10 | 19
        Zener diode 5V1 | BZX55C5V1 | Vishay | DO-35 | tht | voltage=5V1, current=45mA | 10 | 4
        Zener diode 12V | BZX55C12 | Vishay | DO-35 | tht | voltage=12V, current=20mA | 10 | 26
        TVS diode 5 V | SMBJ5.0A | Littelfuse | DO-214AA | smd protection | voltage=5V | 5 | 14
        """,
    ),
    (
        ("Semiconductor", "LED"),
        "B1",
        """
        LED red 5 mm | L-7113ID | Kingbright | 5 mm | tht | colour=red, forward=2V | 20 | 87
        LED green 5 mm | L-7113GD | Kingbright | 5 mm | tht | colour=green, forward=2.2V | 20 | 63
        LED yellow 5 mm | L-7113YD | Kingbright | 5 mm | tht | colour=yellow, forward=2.1V | 20 | 55
        LED blue 3 mm | L-7104QBC-D | Kingbright | 3 mm | tht | colour=blue, forward=3.3V | 10 | 8
        LED red 0805 | APT2012EC | Kingbright | 0805 | smd | colour=red, forward=2V | 25 | 130
        LED green 0805 | APT2012SGC | Kingbright | 0805 | smd | colour=green, forward=2.2V | 25 | 112
        Addressable LED WS2812B | WS2812B | Worldsemi | 5050 | smd rgb | colour=RGB, forward=5V | 30 | 144
        """,
    ),
    (
        ("Semiconductor", "Transistor"),
        "B2",
        """
        NPN transistor BC547B | BC547B | onsemi | TO-92 | tht basic | polarity=NPN, voltage=45V, current=100mA | 25 | 140
        PNP transistor BC557B | BC557B | onsemi | TO-92 | tht basic | polarity=PNP, voltage=45V, current=100mA | 25 | 92
        NPN transistor 2N3904 | 2N3904BU | onsemi | TO-92 | tht basic | polarity=NPN, voltage=40V, current=200mA | 20 | 71
        PNP transistor 2N3906 | 2N3906BU | onsemi | TO-92 | tht basic | polarity=PNP, voltage=40V, current=200mA | 20 | 48
        NPN transistor BC847 | BC847C,215 | Nexperia | SOT-23 | smd basic | polarity=NPN, voltage=45V, current=100mA | 25 | 210
        NPN power transistor TIP31C | TIP31C | STMicroelectronics | TO-220 | tht power | polarity=NPN, voltage=100V, current=3A | 4 | 7
        PNP power transistor TIP32C | TIP32C | STMicroelectronics | TO-220 | tht power | polarity=PNP, voltage=100V, current=3A | 4 | 2
        N-MOSFET 2N7002 | 2N7002,215 | Nexperia | SOT-23 | smd basic | polarity=N, voltage=60V, current=300mA | 20 | 156
        N-MOSFET BS170 | BS170 | onsemi | TO-92 | tht | polarity=N, voltage=60V, current=500mA | 10 | 31
        N-MOSFET IRLZ44N | IRLZ44NPBF | Infineon | TO-220 | tht power logic-level | polarity=N, voltage=55V, current=47A | 5 | 12
        N-MOSFET IRF540N | IRF540NPBF | Infineon | TO-220 | tht power | polarity=N, voltage=100V, current=33A | 5 | 3
        P-MOSFET AO3401A | AO3401A | Alpha & Omega | SOT-23 | smd | polarity=P, voltage=30V, current=4A | 15 | 52
        P-MOSFET IRF9540N | IRF9540NPBF | Infineon | TO-220 | tht power | polarity=P, voltage=100V, current=23A | 4 | 6
        """,
    ),
    (
        ("Integrated circuit", "Logic"),
        "B3-1",
        """
        Shift register 74HC595 | SN74HC595N | Texas Instruments | DIP-16 | tht | supply=2-6V, temperature=-40~85 °C | 8 | 21
        Hex inverter 74HC14 | SN74HC14N | Texas Instruments | DIP-14 | tht schmitt | supply=2-6V, temperature=-40~85 °C | 6 | 14
        Quad NAND 74HC00 | SN74HC00N | Texas Instruments | DIP-14 | tht | supply=2-6V, temperature=-40~85 °C | 6 | 17
        Counter CD4017 | CD4017BE | Texas Instruments | DIP-16 | tht cmos | supply=3-18V, temperature=-55~125 °C | 4 | 5
        Multiplexer CD4051 | CD4051BE | Texas Instruments | DIP-16 | tht cmos | supply=3-18V, temperature=-55~125 °C | 4 | 3
        Level shifter TXS0108E | TXS0108EPWR | Texas Instruments | TSSOP-20 | smd | supply=1.4-5.5V, temperature=-40~85 °C | 4 | 9
        Timer NE555 | NE555P | Texas Instruments | DIP-8 | tht basic | supply=4.5-16V, temperature=0~70 °C | 10 | 38
        Timer TLC555 | TLC555CP | Texas Instruments | DIP-8 | tht cmos | supply=2-15V, temperature=0~70 °C | 6 | 11
        Darlington array ULN2003A | ULN2003AN | Texas Instruments | DIP-16 | tht driver | supply=0-50V, temperature=-40~105 °C | 5 | 13
        """,
    ),
    (
        ("Integrated circuit", "Amplifier"),
        "B3-1",
        """
        Operational amplifier LM358 | LM358P | Texas Instruments | DIP-8 | tht basic | supply=3-32V, temperature=0~70 °C, channels=2, rail-to-rail=no | 10 | 27
        Operational amplifier LM324 | LM324N | Texas Instruments | DIP-14 | tht basic | supply=3-32V, temperature=0~70 °C, channels=4, rail-to-rail=no | 6 | 12
        Operational amplifier TL072 | TL072CP | Texas Instruments | DIP-8 | tht audio | supply=10-30V, temperature=0~70 °C, channels=2, rail-to-rail=no | 6 | 16
        Operational amplifier NE5532 | NE5532P | Texas Instruments | DIP-8 | tht audio | supply=10-30V, temperature=0~70 °C, channels=2, rail-to-rail=no | 6 | 4
        Operational amplifier MCP6002 | MCP6002-I/SN | Microchip | SOIC-8 | smd rail-to-rail | supply=1.8-6V, temperature=-40~85 °C, channels=2, rail-to-rail=yes | 8 | 23
        Comparator LM393 | LM393P | Texas Instruments | DIP-8 | tht | supply=2-36V, temperature=0~70 °C, channels=2 | 6 | 19
        Audio amplifier LM386 | LM386N-1 | Texas Instruments | DIP-8 | tht audio | supply=4-12V, temperature=0~70 °C, channels=1, rail-to-rail=no | 4 | 8
        """,
    ),
    (
        ("Integrated circuit", "Regulator"),
        "B3-1",
        """
        Regulator 7805 | L7805CV | STMicroelectronics | TO-220 | tht basic | supply=7-35V, output=5V, current=1.5A | 8 | 22
        Regulator 7812 | L7812CV | STMicroelectronics | TO-220 | tht | supply=14.5-35V, output=12V, current=1.5A | 5 | 9
        Adjustable regulator LM317 | LM317T | STMicroelectronics | TO-220 | tht basic | supply=4.2-40V, output=1.2-37V, current=1.5A | 6 | 15
        Regulator AMS1117 3.3 V | AMS1117-3.3 | AMS | SOT-223 | smd ldo basic | supply=4.5-12V, output=3V3, current=1A | 15 | 44
        Regulator MCP1700 3.3 V | MCP1700-3302E/TO | Microchip | TO-92 | tht ldo low-power | supply=2.3-6V, output=3V3, current=250mA | 8 | 6
        Buck converter MP1584EN | MP1584EN-LF-Z | Monolithic Power | SOIC-8 | smd switching | supply=4.5-28V, output=0.8-25V, current=3A | 5 | 10
        Buck converter LM2596 5 V | LM2596T-5.0 | Texas Instruments | TO-220-5 | tht switching | supply=7-40V, output=5V, current=3A | 3 | 5
        Boost converter MT3608 | MT3608 | Aerosemi | SOT-23-6 | smd switching | supply=2-24V, output=5-28V, current=2A | 5 | 17
        Charger TP4056 | TP4056 | NanJing Top Power | SOP-8 | smd battery | supply=4-8V, output=4.2V, current=1A | 5 | 20
        """,
    ),
    (
        ("Integrated circuit", "Microcontroller"),
        "B3-2",
        """
        Microcontroller ATmega328P | ATMEGA328P-PU | Microchip | DIP-28 | tht arduino | supply=1.8-5.5V, flash=32KiB, clock=20MHz | 4 | 9
        Microcontroller ATtiny85 | ATTINY85-20PU | Microchip | DIP-8 | tht | supply=2.7-5.5V, flash=8KiB, clock=20MHz | 4 | 3
        Microcontroller STM32F103 | STM32F103C8T6 | STMicroelectronics | LQFP-48 | smd arm | supply=2-3.6V, flash=64KiB, clock=72MHz | 3 | 6
        Microcontroller STM32G030 | STM32G030F6P6 | STMicroelectronics | TSSOP-20 | smd arm | supply=2-3.6V, flash=32KiB, clock=64MHz | 5 | 14
        Microcontroller RP2040 | RP2040 | Raspberry Pi | QFN-56 | smd arm | supply=1.8-3.3V, clock=133MHz | 4 | 10
        Wireless module ESP32-WROOM-32E | ESP32-WROOM-32E-N4 | Espressif | module | wifi bluetooth | supply=3-3.6V, flash=4MiB, clock=240MHz | 4 | 7
        Wireless module ESP32-C3-MINI-1 | ESP32-C3-MINI-1-N4 | Espressif | module | wifi bluetooth | supply=3-3.6V, flash=4MiB, clock=160MHz | 4 | 5
        Wireless module ESP-12F | ESP-12F | Ai-Thinker | module | wifi | supply=3-3.6V, flash=4MiB, clock=160MHz | 3 | 2
        """,
    ),
    (
        ("Integrated circuit", "Sensor"),
        "B3-2",
        """
        Temperature sensor DS18B20 | DS18B20+ | Analog Devices | TO-92 | tht temperature | supply=3-5.5V, temperature=-55~125 °C, interface=1-Wire | 5 | 12
        Temperature and humidity SHT31 | SHT31-DIS-B | Sensirion | DFN-8 | smd humidity | supply=2.15-5.5V, temperature=-40~125 °C, interface=I²C | 3 | 4
        Pressure sensor BME280 | BME280 | Bosch | LGA-8 | smd humidity pressure | supply=1.71-3.6V, temperature=-40~85 °C, interface=I²C or SPI | 3 | 6
        Motion sensor MPU-6050 | MPU-6050 | TDK InvenSense | QFN-24 | smd accelerometer gyroscope | supply=2.4-3.5V, temperature=-40~85 °C, interface=I²C | 2 | 3
        Current sensor INA219 | INA219AIDCNR | Texas Instruments | SOT-23-8 | smd power | supply=3-5.5V, temperature=-40~125 °C, interface=I²C | 3 | 1
        Real-time clock DS3231 | DS3231SN# | Analog Devices | SOIC-16 | smd clock | supply=2.3-5.5V, temperature=-40~85 °C, interface=I²C | 2 | 5
        """,
    ),
    (
        ("Connector",),
        "B5",
        """
        Pin header 1x40 | 61304011121 | Würth Elektronik | 2.54 mm | tht basic | pins=40, pitch=2.54mm | 10 | 34
        Socket strip 1x8 | 61300811821 | Würth Elektronik | 2.54 mm | tht basic | pins=8, pitch=2.54mm | 8 | 16
        JST XH 2 pins | B2B-XH-A | JST | 2.5 mm | tht | pins=2, pitch=2.5mm | 15 | 48
        JST XH 4 pins | B4B-XH-A | JST | 2.5 mm | tht | pins=4, pitch=2.5mm | 10 | 25
        JST PH 2 pins | B2B-PH-K-S | JST | 2 mm | tht battery | pins=2, pitch=2mm | 15 | 9
        JST PH 4 pins | B4B-PH-K-S | JST | 2 mm | tht | pins=4, pitch=2mm | 10 | 18
        Screw terminal 2 pins | 1729128 | Phoenix Contact | 5.08 mm | tht | pins=2, pitch=5.08mm | 10 | 37
        Screw terminal 3 pins | 1729131 | Phoenix Contact | 5.08 mm | tht | pins=3, pitch=5.08mm | 8 | 15
        USB-C receptacle | USB4105-GF-A | GCT | smd | usb | pins=16 | 6 | 19
        USB Micro-B receptacle | 10118194-0001LF | Amphenol | smd | usb | pins=5 | 5 | 8
        DC jack 2.1 mm | PJ-102A | CUI Devices | tht | power | pins=3 | 5 | 11
        """,
    ),
    (
        ("Crystal",),
        "B4",
        """
        Crystal 8 MHz | ABLS-8.000MHZ-B4-T | Abracon | HC-49 | smd | frequency=8MHz, load=18pF | 5 | 13
        Crystal 16 MHz | ABLS-16.000MHZ-B4-T | Abracon | HC-49 | smd | frequency=16MHz, load=18pF | 5 | 24
        Crystal 12 MHz | ABM8-272-T3 | Abracon | 3225 | smd | frequency=12MHz, load=10pF | 4 | 10
        Crystal 32.768 kHz | ABS07-32.768KHZ-T | Abracon | 3215 | smd clock | frequency=32.768kHz, load=12.5pF | 5 | 3
        """,
    ),
    (
        ("Switch",),
        "B5",
        """
        Tactile switch 6 mm | B3F-1000 | Omron | 6 mm | tht button | contacts=SPST-NO, current=50mA | 20 | 83
        Tactile switch SMD | B3U-1000P | Omron | smd | smd button | contacts=SPST-NO, current=50mA | 15 | 46
        Slide switch | OS102011MS2QN1 | C&K | tht | power | contacts=SPDT, current=100mA | 8 | 21
        Toggle switch | 7101SYCQE | C&K | panel | power | contacts=SPDT, current=5A | 4 | 2
        Rotary encoder | PEC11R-4215F-S0024 | Bourns | panel | knob | contacts=24 steps, current=10mA | 3 | 7
        Reed switch | 59010-1-S-02-F | Littelfuse | chassis | magnet | contacts=SPST-NO, current=500mA | 4 | 9
        """,
    ),
)


def _listed() -> Iterator[PartSeed]:
    for type_path, box, table in _LISTED:
        for line in table.strip().splitlines():
            name, mpn, manufacturer, package, tags, values, minimum, quantity = (
                cell.strip() for cell in line.split("|")
            )
            yield PartSeed(
                type=type_path,
                name=name,
                mpn=mpn,
                manufacturer=manufacturer,
                package=package,
                tags=tags,
                values=dict(pair.split("=", 1) for pair in values.split(", ")),
                min_qty=int(minimum),
                stock={box: int(quantity)},
            )

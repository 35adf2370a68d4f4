"""Projects, their bills of material as KiCad's schematic editor writes them. Pure."""

from dataclasses import dataclass


@dataclass(frozen=True)
class BoardSeed:
    """A project, and how many boards of it are to be built next."""

    name: str
    boards: int
    notes: str
    bom: str


BOARDS = (
    BoardSeed(
        name="Breadboard supply",
        boards=2,
        notes="3.3 V from USB, up to 1 A. Everything for it is there.",
        bom="""\
"Reference","Value","Footprint","Qty","DNP","MPN"
"J1","USB-C","Connector_USB:USB_C_Receptacle_GCT_USB4105","1","","USB4105-GF-A"
"R1,R2","4k7 1%","Resistor_SMD:R_0805_2012Metric","2","",""
"U1","AMS1117-3.3","Package_TO_SOT_SMD:SOT-223-3_TabPin2","1","",""
"C1,C2","10u 6.3V","Capacitor_SMD:C_0805_2012Metric","2","",""
"C3,C4","100n","Capacitor_SMD:C_0805_2012Metric","2","",""
"D1","SS14","Diode_SMD:D_SMA","1","",""
"LED1","red","LED_SMD:LED_0805_2012Metric","1","",""
"R3","1k","Resistor_SMD:R_0805_2012Metric","1","",""
"J2,J3","Pin header","Connector_PinHeader_2.54mm:PinHeader_1x40","2","","61304011121"
""",
    ),
    BoardSeed(
        name="Weather station",
        boards=5,
        notes="Five for the garden. Some of it has to be bought, and for the MOSFET another one would do.",
        bom="""\
"Reference","Value","Footprint","Qty","DNP","MPN"
"U1","ESP32-C3-MINI-1-N4","RF_Module:ESP32-C3-MINI-1","1","",""
"U2","BME280","Package_LGA:Bosch_LGA-8","1","",""
"U3","SHT31-DIS-B","Sensor_Humidity:Sensirion_DFN-8","1","",""
"U4","MCP1700-3302E/TO","TO_SOT_Packages:TO-92","1","",""
"C1,C2","10u 6.3V","Capacitor_SMD:C_0805_2012Metric","2","",""
"C3,C4","100n 50V X7R","Capacitor_SMD:C_0805_2012Metric","2","",""
"C7","47u 25V","Capacitor_SMD:C_1210_3225Metric","1","",""
"R1,R2","4k7 1%","Resistor_SMD:R_0805_2012Metric","2","",""
"R3-R6","10k","Resistor_SMD:R_0805_2012Metric","4","",""
"Q1","N 55V 12A","Package_TO_SOT_THT:TO-220","1","","IRF540NPBF"
"J1","JST PH 2 pins","Connector_JST:JST_PH_B2B-PH-K","1","","B2B-PH-K-S"
"J2","JST XH 4 pins","Connector_JST:JST_XH_B4B-XH-A","1","DNP","B4B-XH-A"
"ANT1","868 MHz","","1","",""
""",
    ),
)

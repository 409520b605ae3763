"""A FIX 4.4 broker made of QuickFIX, the counterparty of the gate's rehearsal.

    python acceptor.py PORT DIRECTORY

Needs the package `quickfix` from PyPI. Every message is checked against FIX44.xml. Each line on
stdout is one thing that happened: `ready`, `logon`, `logout`, `admin FIX…`, `app FIX…` with `|`
between fields. Lines on stdin: `test TEXT` sends a TestRequest, `quit` ends.

Orders of quantity 7 rest until they are cancelled; others are filled at their limit: a single one
by one report, a combination by one report a leg and one for the whole. A question for positions is
answered with one put, three contracts short.
"""

import os
import sys
import threading

import quickfix as fix

CONFIG = """
[DEFAULT]
ConnectionType=acceptor
SocketAcceptPort={port}
FileStorePath={directory}/store
FileLogPath={directory}/log
StartTime=00:00:00
EndTime=00:00:00
UseDataDictionary=Y
DataDictionary={dictionary}
ValidateUserDefinedFields=Y
ValidateFieldsHaveValues=Y
SocketReuseAddress=Y
SocketNodelay=Y
ResetOnLogon=N
[SESSION]
BeginString=FIX.4.4
SenderCompID=BROKER
TargetCompID=ZOMMA
HeartBtInt=5
"""

lock = threading.Lock()


def say(*words):
    with lock:
        print(*words, flush=True)


def shown(message):
    return message.toString().replace("\x01", "|")


def get(message, tag):
    return message.getField(tag) if message.isSetField(tag) else None


class Broker(fix.Application):
    def __init__(self):
        super().__init__()
        self.session = None
        self.count = 0
        self.resting = {}

    def onCreate(self, session):
        self.session = session

    def onLogon(self, session):
        say("logon")

    def onLogout(self, session):
        say("logout")

    def toAdmin(self, message, session):
        say("sent", shown(message))

    def toApp(self, message, session):
        say("sent", shown(message))

    def fromAdmin(self, message, session):
        say("admin", shown(message))

    def fromApp(self, message, session):
        say("app", shown(message))
        kind = message.getHeader().getField(35)
        if kind in ("D", "AB"):
            self.on_order(message, kind == "AB")
        elif kind == "F":
            self.on_cancel(message)
        elif kind == "AN":
            self.on_positions(message)

    def report(self, message, event, status, legs=None, quantity=None, price=None, leg=None):
        self.count += 1
        answer = fix.Message()
        answer.getHeader().setField(35, "8")
        for tag in (11, 41, 55, 54, 38):
            if get(message, tag) is not None:
                answer.setField(tag, get(message, tag))
        answer.setField(37, "B" + get(message, 11)[-6:])
        answer.setField(17, "E%d" % self.count)
        answer.setField(150, event)
        answer.setField(39, status)
        answer.setField(151, "0" if status in "24" else get(message, 38))
        answer.setField(14, get(message, 38) if status == "2" else "0")
        answer.setField(6, "0")
        if legs is not None:
            answer.setField(442, "3" if leg is None else "2")
        if quantity is not None:
            answer.setField(32, quantity)
            answer.setField(31, price)
        if leg is not None:
            group = fix.Group(555, 600)
            group.setField(600, leg.getField(600))
            group.setField(654, leg.getField(654))
            answer.addGroup(group)
        fix.Session.sendToTarget(answer, self.session)

    def on_order(self, message, combo):
        legs = None
        if combo:
            legs = []
            for i in range(int(get(message, 555))):
                group = fix.Group(555, 600)
                message.getGroup(i + 1, group)
                legs.append(group)
        self.report(message, "0", "0", legs)
        if get(message, 38) == "7":
            self.resting[get(message, 11)] = message
            return
        for leg in legs or []:
            self.report(message, "F", "1", legs, leg.getField(687), "1.25", leg)
        self.report(message, "F", "2", legs, get(message, 38), get(message, 44))

    def on_cancel(self, message):
        known = self.resting.pop(get(message, 41), None)
        if known is not None:
            return self.report(message, "4", "4")
        answer = fix.Message()
        answer.getHeader().setField(35, "9")
        for tag, value in ((37, "NONE"), (39, "8"), (434, "1"), (102, "1")):
            answer.setField(tag, value)
        answer.setField(11, get(message, 11))
        answer.setField(41, get(message, 41))
        fix.Session.sendToTarget(answer, self.session)

    def on_positions(self, message):
        """One put, three contracts short."""
        head = ((721, "P1"), (710, get(message, 710)), (727, "1"), (728, "0"))
        account = ((1, get(message, 1)), (581, "1"))
        answer = fix.Message()
        answer.getHeader().setField(35, "AO")
        for tag, value in head + account + ((729, "0"),):
            answer.setField(tag, value)
        fix.Session.sendToTarget(answer, self.session)
        answer = fix.Message()
        answer.getHeader().setField(35, "AP")
        named = ((55, "SPXW"), (167, "OPT"), (461, "OPXXXX"), (541, "20260102"), (202, "4700.5"))
        price = ((715, get(message, 715)), (730, "0"), (731, "2"), (734, "0"))
        for tag, value in head + account + named + price:
            answer.setField(tag, value)
        quantity = fix.Group(702, 703)
        for tag, value in ((703, "TOT"), (704, "0"), (705, "3")):
            quantity.setField(tag, value)
        answer.addGroup(quantity)
        fix.Session.sendToTarget(answer, self.session)


def main(port, directory):
    dictionary = os.path.join(sys.prefix, "share", "quickfix", "FIX44.xml")
    path = os.path.join(directory, "acceptor.cfg")
    with open(path, "w") as file:
        file.write(CONFIG.format(port=port, directory=directory, dictionary=dictionary))
    settings = fix.SessionSettings(path)
    broker = Broker()
    acceptor = fix.SocketAcceptor(
        broker, fix.FileStoreFactory(settings), settings, fix.FileLogFactory(settings)
    )
    acceptor.start()
    say("ready")
    for line in sys.stdin:
        words = line.split()
        if words[:1] == ["quit"]:
            break
        if words[:1] == ["test"]:
            message = fix.Message()
            message.getHeader().setField(35, "1")
            message.setField(112, words[1])
            fix.Session.sendToTarget(message, broker.session)
    acceptor.stop()


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])

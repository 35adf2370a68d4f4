// Follows the movements of the stock, and adds them to the list on the page. Without it the page is complete, but still.

// Calls `told` with each event after `position`, once and in order, for ever. A connection that ends is made again after
// a pause that grows and is never the same for two browsers, so that not all of them come back at one moment.
export function follow(address, position, told, { first = 500, longest = 30000 } = {}) {
  let pause = first;
  const connect = () => {
    const socket = new WebSocket(`${address}?after=${position}`);
    socket.onmessage = (message) => {
      const event = JSON.parse(message.data);
      pause = first;
      if (event.movement && event.position > position) {
        position = event.position;
        told(event);
      }
    };
    socket.onclose = (end) => {
      // 1012: the server is restarted. 1006: the connection was cut. 1008: this position is not one of the server's.
      if (end.code === 1008) return;
      setTimeout(connect, pause * (0.5 + Math.random() / 2));
      pause = Math.min(2 * pause, longest);
    };
  };
  connect();
}

function row(event) {
  const made = (name, className, text) => Object.assign(document.createElement(name), { className, textContent: text });
  const link = (href, text) => Object.assign(document.createElement("a"), { href, textContent: text });
  const item = document.createElement("li");
  item.dataset.movement = event.movement;
  const what = made("span", "what", "");
  what.append(link(`/parts/${event.part.id}/`, event.part.name), ` ${event.deed} `);
  what.append(link(`/boxes/${event.box}/`, event.box), `: ${event.balance} there`);
  const sign = event.change.startsWith("+") ? "plus" : "minus";
  item.append(made("span", `delta ${sign}`, event.change), what, made("span", "when", "now"));
  return item;
}

const section = globalThis.document?.querySelector("[data-follow]");
if (section) {
  const list = section.querySelector("ul");
  const scheme = location.protocol === "https:" ? "wss" : "ws";
  follow(`${scheme}://${location.host}/ws/movements`, Number(section.dataset.follow), (event) => {
    if (list.querySelector(`[data-movement="${event.movement}"]`)) return;
    list.querySelector(".empty")?.remove();
    list.prepend(row(event));
    while (list.children.length > Number(section.dataset.most)) list.lastElementChild.remove();
  });
}

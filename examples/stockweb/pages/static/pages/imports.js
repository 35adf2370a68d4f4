// Shows how far an import is, and the page anew when it stands still.

const section = document.querySelector("[data-import]");
const scheme = location.protocol === "https:" ? "wss" : "ws";

function connect(pause) {
  const socket = new WebSocket(`${scheme}://${location.host}/ws/imports/${section.dataset.import}`);
  socket.onmessage = (message) => {
    const { state, checked, rows } = JSON.parse(message.data);
    if (state === "checking") section.querySelector("progress").value = checked;
    section.querySelector("span").textContent = `${checked} of ${rows}`;
  };
  socket.onclose = (end) => {
    // 1000: there is nothing more to say. 1008: nor will there be, to whoever is not logged in.
    if (end.code === 1000 || end.code === 1008) location.reload();
    else setTimeout(connect, pause * (0.5 + Math.random() / 2), Math.min(2 * pause, 30000));
  };
}

connect(500);

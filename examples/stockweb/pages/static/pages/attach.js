// Sends a file to the bucket: announces it, posts it with the form that comes back, and says that it was sent.

const form = document.querySelector("[data-attach]");
const told = form.querySelector("output");

async function asked(address, body) {
  const answer = await fetch(address, {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-CSRFToken": form.elements.csrfmiddlewaretoken.value },
    body: JSON.stringify(body),
  });
  const said = await answer.json();
  if (!answer.ok) throw new Error(said.detail);
  return said;
}

async function attach(file) {
  const { attachment, upload } = await asked(form.dataset.attach, { name: file.name, type: file.type, size: file.size });
  const data = new FormData();
  for (const [name, value] of Object.entries(upload.fields)) data.append(name, value);
  data.append("file", file); // what comes after it is not read
  const sent = await fetch(upload.url, { method: "POST", body: data });
  if (!sent.ok) throw new Error(`the bucket answers ${sent.status}`);
  const done = await asked(`/api/v1/attachments/${attachment.id}/complete`, {});
  if (done.error) throw new Error(`the file ${done.error}`);
}

form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const button = form.querySelector("button");
  button.disabled = true;
  told.textContent = "Sending …";
  try {
    await attach(form.elements.file.files[0]);
    location.reload();
  } catch (error) {
    told.textContent = `Not attached: ${error.message}`;
    button.disabled = false;
  }
});

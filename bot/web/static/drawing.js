// What the parts of the panel draw with. Whatever comes from outside reaches the page through textContent only.

export function make(tag, className = "", ...children) {
  const element = document.createElement(tag);
  if (className) element.className = className;
  element.append(...children);
  return element;
}

export function setText(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

// A button that says what it does (`b`), and what comes of it (`small`).
export function actButton(testid) {
  const button = make("button", "act", make("b"), make("small"));
  button.type = "button";
  button.dataset.testid = testid;
  return button;
}

export function nameButton(button, name, about) {
  setText(button.firstElementChild, name);
  setText(button.children[1], about);
}

// Two to a line; what is left alone at the end has the whole line. Answers whether anything is shown.
export function layOut(group) {
  const shown = [...group.children].filter((button) => !button.hidden);
  group.hidden = shown.length === 0;
  shown.forEach((button, index) => button.classList.toggle("wide", index === shown.length - 1 && index % 2 === 0));
  return shown.length > 0;
}

export function rupiah(amount) {
  const whole = Math.round(Number(amount));
  if (amount === null || amount === undefined || amount === "" || !Number.isFinite(whole)) return "–";
  return `${whole < 0 ? "-" : ""}Rp${String(Math.abs(whole)).replace(/\B(?=(\d{3})+(?!\d))/g, ".")}`;
}

export function clockface(milliseconds) {
  const seconds = Math.max(0, Math.ceil(milliseconds / 1000));
  const pad = (number) => String(number).padStart(2, "0");
  const hours = Math.floor(seconds / 3600);
  const short = `${pad(Math.floor(seconds / 60) % 60)}:${pad(seconds % 60)}`;
  return hours > 0 ? `${hours}:${short}` : short;
}

// An answer as JSON. Throws with the other side's own words if it complains.
export async function ask(url, body) {
  const wanted = { signal: AbortSignal.timeout(8000), headers: { Accept: "application/json" } };
  if (body !== undefined) {
    wanted.method = "POST";
    wanted.body = JSON.stringify(body);
    wanted.headers["Content-Type"] = "application/json";
  }
  const answer = await fetch(url, wanted);
  const text = await answer.text();
  let data = null;
  try {
    data = JSON.parse(text);
  } catch {
    data = null;
  }
  if (!answer.ok) throw new Error(complaint(data) || `HTTP ${answer.status}`);
  return data;
}

function complaint(data) {
  const said = data?.error ?? data?.message ?? data?.pesan ?? data?.detail;
  return typeof said === "string" ? said : "";
}

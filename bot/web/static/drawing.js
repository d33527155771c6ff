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

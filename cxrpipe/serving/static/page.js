"use strict";

const MEGABYTE = 1e6;
const find = (id) => document.getElementById(id);
const readable = (text) => text.replaceAll("_", " ");
/** Say why: a reason of one word, then a detail that may name a setting as it is written. */
const why = (text) => text.replace(/^\w+/, readable);
const percent = (share) =>
  share > 0.999 ? "> 99.9%" : share < 0.001 ? "< 0.1%" : `${(100 * share).toFixed(1)}%`;
const cards = new Set();
let settings;
let turn = Promise.resolve();

/** Do one thing after the other, so that many films do not crowd the server. */
function inTurn(task) {
  const done = turn.then(task);
  turn = done.catch(() => {});
  return done;
}

/** Ask the server, and throw what it, or we, have to say where there is no answer. */
async function ask(path, query, film) {
  let response;
  try {
    response = await fetch(`${path}?${new URLSearchParams(query)}`, { method: "POST", body: film });
  } catch {
    await film.slice(0, 1).arrayBuffer().catch(() => {
      throw new Error("The browser cannot read it; choose a file, not a folder, that is still there.");
    });
    throw new Error("The server does not answer; is cxrpipe serve still running?");
  }
  if (!response.ok) throw new Error(await response.text());
  return response;
}

function make(tag, name, text = "") {
  const element = document.createElement(tag);
  element.className = name;
  element.textContent = text;
  return element;
}

/** Fill a choice with [value, what is shown of it]. */
function fill(select, pairs) {
  select.replaceChildren(...pairs.map(([value, told]) => new Option(told, value)));
}

function place(image, content) {
  URL.revokeObjectURL(image.src);
  image.src = URL.createObjectURL(content);
  image.hidden = false;
}

function bar(finding) {
  const line = make("li", finding.above ? "above" : "");
  const track = make("span", "bar");
  track.setAttribute("aria-hidden", "true");
  track.append(make("i", ""));
  track.firstChild.style.width = `${100 * finding.probability}%`;
  let threshold = "no threshold";
  if (finding.threshold !== null) {
    track.append(make("b", ""));
    track.lastChild.style.left = `${100 * finding.threshold}%`;
    threshold = `${finding.above ? "reaches" : "below"} its threshold, ${percent(finding.threshold)}`;
  }
  line.append(
    make("span", "name", readable(finding.name)), make("span", "number", percent(finding.probability)),
    track, make("span", "small", threshold), make("span", "small set", finding.set));
  return line;
}

class Card {
  constructor(film) {
    this.film = film;
    this.latest = {}; // by what is asked, the question whose answer counts
    this.node = find("card").content.firstElementChild.cloneNode(true);
    this.parts = Object.fromEntries(
      [...this.node.querySelectorAll("[data-part]")].map((part) => [part.dataset.part, part]));
    const { name, picture, remove, force, strength, share, heatmap, finding, method } = this.parts;
    name.textContent = film.name;
    this.node.setAttribute("aria-label", film.name);
    picture.alt = `The film ${film.name}`;
    remove.setAttribute("aria-label", `Remove ${film.name}`);
    remove.onclick = () => this.remove();
    force.onclick = () => {
      this.node.focus(); // the button goes
      this.classify(true);
    };
    finding.onchange = method.onchange = () => this.explain();
    strength.oninput = () => {
      heatmap.style.opacity = strength.value / 100;
      share.textContent = `${strength.value}%`;
    };
    strength.oninput();
    fill(method, Object.entries(settings.methods));
  }

  remove() {
    this.latest = {};
    cards.delete(this);
    this.node.remove();
    for (const image of this.node.querySelectorAll("img")) URL.revokeObjectURL(image.src);
    find("films").focus();
  }

  /** Ask for one thing; give undefined where another question has been asked meanwhile. */
  async ask(path, query) {
    const question = (this.latest[path] = Symbol(path));
    const counts = () => this.latest[path] === question;
    try {
      const response = await inTurn(() => counts() && ask(path, query, this.film));
      return counts() ? response : undefined;
    } catch (error) {
      if (counts()) throw error;
    }
  }

  async begin() {
    const size = this.film.size / MEGABYTE;
    const most = settings.most / MEGABYTE;
    if (size > most) {
      return this.refuse(`The film has ${size.toFixed(0)} MB; at most ${most} MB are taken (--most-megabytes).`);
    }
    this.parts.status.textContent = "Waiting for its turn …";
    try {
      const response = await this.ask("film", {});
      if (!response) return;
      await this.show(await response.blob());
    } catch (error) {
      return this.refuse(`Refused, ${why(error.message)}`);
    }
    this.readable = true;
    await this.classify();
  }

  async show(content) {
    const { film, frame, picture } = this.parts;
    place(picture, content);
    await picture.decode();
    frame.style.setProperty("--ratio", picture.naturalWidth / picture.naturalHeight);
    film.hidden = false;
  }

  async classify(force = false) {
    const { status, refusal, controls, heatmap, verdict, bars, drawn } = this.parts;
    status.textContent = "Waiting for the answer …";
    this.latest.explain = null;
    refusal.hidden = controls.hidden = heatmap.hidden = true;
    drawn.textContent = "";
    verdict.replaceChildren();
    bars.replaceChildren();
    try {
      const response = await this.ask("classify", { model: find("model").value, force });
      if (!response) return;
      const answer = await response.json();
      status.textContent = "";
      if (answer.refused) this.refuse(`Refused, ${why(answer.refused)}`, true);
      else this.tell(answer);
    } catch (error) {
      this.refuse(error.message);
    }
  }

  refuse(reason, canForce = false) {
    this.parts.status.textContent = "";
    this.parts.reason.textContent = reason;
    this.parts.force.hidden = !canForce;
    this.parts.refusal.hidden = false;
  }

  tell(answer) {
    const { verdict, bars, finding, controls } = this.parts;
    if (answer.doubt) this.refuse(`Answered all the same, though ${why(answer.doubt)}`);
    verdict.replaceChildren(...answer.verdict.map((line) => make("p", "", readable(line))));
    bars.replaceChildren(...answer.findings.map(bar));
    fill(finding, answer.findings.map(({ name }) => [name, readable(name)]));
    finding.value = answer.explained;
    controls.hidden = false;
    this.explain();
  }

  async explain() {
    const { finding, method, heatmap, drawn } = this.parts;
    heatmap.hidden = true;
    drawn.textContent = "Drawing the heatmap …";
    try {
      const response = await this.ask("explain", {
        model: find("model").value, finding: finding.value, method: method.value });
      if (!response) return;
      drawn.textContent = response.status === 204 ? "Nothing on the film raised this score." : "";
      if (response.status === 204) return;
      place(heatmap, await response.blob());
      heatmap.alt = `Heatmap of ${readable(finding.value)}`;
    } catch (error) {
      drawn.textContent = error.message;
    }
  }
}

async function take(films) {
  await ready;
  if (!settings) return; // why is said already
  for (const film of films) {
    const card = new Card(film);
    cards.add(card);
    find("cards").append(card.node);
    card.begin();
  }
}

find("films").onchange = (event) => {
  take([...event.target.files]);
  event.target.value = ""; // the same file may be chosen again
};
find("model").onchange = () => cards.forEach((card) => card.readable && card.classify());
document.ondragover = document.ondragenter = (event) => {
  event.preventDefault();
  document.body.classList.add("over");
};
document.ondragleave = (event) => event.relatedTarget || document.body.classList.remove("over");
document.ondrop = (event) => {
  event.preventDefault();
  document.body.classList.remove("over");
  take([...event.dataTransfer.files]);
};

const ready = fetch("models").then((response) => response.json()).then((told) => {
  settings = told;
  fill(find("model"), told.models.map(
    (name) => [name, name + (name === told.best ? " (best on validation)" : "")]));
  find("most").textContent = `, up to ${told.most / MEGABYTE} MB each`;
}).catch(() => {
  find("trouble").textContent = "The server does not answer; start cxrpipe serve, and load this page again.";
  find("trouble").hidden = false;
});

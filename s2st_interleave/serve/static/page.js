// Records or takes a file, sends it to POST /translate, and shows and plays the answers.
// Texts go into the page as text, never as HTML.
"use strict";

const byId = (id) => document.getElementById(id);
const languageNames = new Intl.DisplayNames(["en"], { type: "language" });
const RECORDINGS = ["audio/webm;codecs=opus", "audio/ogg;codecs=opus", "audio/mp4"];
// Models learned speech that no browser had cleaned.
const AS_IT_IS = {
  channelCount: 1, echoCancellation: false, noiseSuppression: false, autoGainControl: false,
};
let models = [];
let limits = { max_bytes: 16e6, max_sec: 30 };
let recorder = null;
let last = null; // the recording that was sent last
let urls = []; // of the sounds that are shown
let isBusy = false;

function language(code) {
  try {
    return languageNames.of(code);
  } catch {
    return code; // no code of BCP 47
  }
}

function show(text, { error = false, working = false, again = false } = {}) {
  byId("state").hidden = !text;
  byId("state").classList.toggle("error", error);
  byId("spinner").hidden = !working;
  byId("again").hidden = !again;
  byId("status").textContent = text;
  byId("earlier").hidden = !text || !byId("answers").childElementCount;
}

function busy(value) {
  isBusy = value;
  byId("record").disabled = value;
  byId("file").disabled = value;
  byId("choose").classList.toggle("disabled", value);
}

// --- sounds and words ---

function wavUrl(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  urls.push(URL.createObjectURL(new Blob([bytes], { type: "audio/wav" })));
  return urls[urls.length - 1];
}

function playWord(audio, start, stop) {
  audio.currentTime = start;
  audio.until = stop;
  audio.play();
}

// A button for each word that has times; what is between words stays as it is.
function fill(place, text, rows, audio) {
  let end = 0;
  const parts = [];
  for (const [word, start, stop] of rows ?? []) {
    const at = text.indexOf(word, end);
    if (at < 0) continue;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = word;
    button.title = `${start.toFixed(2)} to ${stop.toFixed(2)} s`;
    button.addEventListener("click", () => playWord(audio, start, stop));
    parts.push(text.slice(end, at), button);
    audio.words.push({ button, start, stop });
    end = at + word.length;
  }
  place.replaceChildren(...parts, text.slice(end));
}

function light(audio) {
  if (audio.currentTime >= audio.until) audio.pause();
  for (const { button, start, stop } of audio.words) {
    const now = audio.currentTime;
    button.classList.toggle("now", !audio.paused && start <= now && now < stop);
  }
  if (!audio.paused) requestAnimationFrame(() => light(audio));
}

function follow(audio) {
  audio.words = [];
  audio.until = Infinity; // the end of the word that plays, if one was pressed
  audio.addEventListener("pause", () => {
    if (audio.paused) audio.until = Infinity;
  });
  for (const name of ["play", "pause", "ended"]) {
    audio.addEventListener(name, () => light(audio));
  }
  audio.addEventListener("play", () => {
    for (const other of document.querySelectorAll("audio")) {
      if (other !== audio) other.pause();
    }
  });
}

function list(place, lines) {
  place.replaceChildren(...lines.map((line) => {
    const item = document.createElement("li");
    item.textContent = line;
    return item;
  }));
}

// --- answers ---

function silence() {
  for (const audio of document.querySelectorAll("audio")) audio.pause();
}

function clear() {
  urls.forEach((url) => URL.revokeObjectURL(url));
  urls = [];
  byId("answers").replaceChildren();
  byId("source").hidden = true;
}

function showText(block, title, text, rows, audio) {
  block.hidden = text === null;
  if (text === null) return;
  block.querySelector("h3").textContent = title;
  fill(block.querySelector(".words"), text || "(nothing)", rows, audio);
}

function showAnswer(answer, source) {
  const card = byId("answer").content.cloneNode(true);
  const facts = models.find((model) => model.name === answer.model) ?? {};
  const audio = card.querySelector("audio");
  follow(audio);
  card.querySelector(".model").textContent = answer.model;
  const heard = `Heard, in ${language(facts.from)}`;
  showText(card.querySelector(".heard"), heard, answer.transcript,
    answer.times.transcript, source);
  const said = `${facts.translates ? "Translation into" : "Answer, in"} ${language(facts.to)}`;
  showText(card.querySelector(".said"), said, answer.translation,
    answer.times.translation, audio);
  audio.hidden = answer.speech === null;
  audio.ariaLabel = `${said}, ${answer.model}`;
  if (answer.speech !== null) audio.src = wavUrl(answer.speech);
  list(card.querySelector(".remarks"), answer.remarks);
  byId("answers").append(card);
}

// The last answer stays until then: show says that it is of an earlier recording.
function showAll(result) {
  silence();
  clear();
  const source = byId("source-audio");
  source.words = [];
  source.src = wavUrl(result.source);
  byId("source-title").textContent = `Recording, ${result.seconds.toFixed(1)} s`;
  list(byId("source-remarks"), result.remarks);
  byId("source").hidden = false;
  for (const answer of result.answers) showAnswer(answer, source);
}

// --- sending ---

async function send(recording) {
  if (isBusy) return;
  last = recording;
  silence();
  if (recording.size > limits.max_bytes) {
    const most = limits.max_bytes / 1e6;
    show(`The file is larger than ${most} MB, the most that is taken.`, { error: true });
    return;
  }
  busy(true);
  show("Translating …", { working: true });
  try {
    const response = await fetch("translate?source=true", {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream" },
      body: recording,
    });
    const result = await response.json().catch(() => ({}));
    if (response.ok) {
      show("");
      showAll(result);
    } else {
      const sentence = result.error ?? `The server answered ${response.status}.`;
      show(sentence, { error: true, again: response.status >= 500 });
    }
  } catch {
    show("The server cannot be reached: is it running?", { error: true, again: true });
  }
  busy(false);
}

// --- recording ---

function clock(start) {
  if (!recorder) return;
  const seconds = (performance.now() - start) / 1000;
  byId("clock").textContent = `${seconds.toFixed(1)} of ${limits.max_sec} s`;
  if (seconds > limits.max_sec - 0.3) stop();
  else setTimeout(() => clock(start), 100);
}

function stop() {
  if (recorder?.state === "recording") recorder.stop();
}

async function record() {
  if (recorder) {
    stop();
    return;
  }
  if (!navigator.mediaDevices || !window.MediaRecorder) {
    show("This browser records only on localhost or over https.", { error: true });
    return;
  }
  let stream;
  try {
    byId("record").disabled = true; // while the browser asks
    stream = await navigator.mediaDevices.getUserMedia({ audio: AS_IT_IS });
  } catch (error) {
    const missing = error.name === "NotFoundError";
    const sentence = missing ? "There is no microphone." : "The microphone may not be used.";
    show(sentence, { error: true });
    return;
  } finally {
    byId("record").disabled = false;
  }
  silence();
  show("");
  const mimeType = RECORDINGS.find((type) => MediaRecorder.isTypeSupported(type));
  const parts = [];
  recorder = new MediaRecorder(stream, { mimeType });
  recorder.addEventListener("dataavailable", (event) => parts.push(event.data));
  recorder.addEventListener("stop", () => {
    for (const track of stream.getTracks()) track.stop();
    const type = recorder.mimeType;
    recorder = null;
    recording(false);
    send(new Blob(parts, { type }));
  });
  recorder.start();
  recording(true);
  clock(performance.now());
}

function recording(on) {
  byId("record").classList.toggle("recording", on);
  byId("record-text").textContent = on ? "Stop" : "Record";
  byId("file").disabled = on;
  byId("choose").classList.toggle("disabled", on);
  byId("clock").hidden = !on;
}

// --- the start ---

function take(files) {
  if (files.length && !recorder) send(files[0]);
}

async function start() {
  follow(byId("source-audio"));
  byId("record").addEventListener("click", record);
  byId("again").addEventListener("click", () => send(last));
  byId("file").addEventListener("change", (event) => {
    take([...event.target.files]);
    event.target.value = ""; // so that the same file can be chosen again
  });
  for (const name of ["dragover", "dragleave", "drop"]) {
    document.addEventListener(name, (event) => {
      event.preventDefault();
      document.body.classList.toggle("dragging", name === "dragover");
      if (name === "drop") take([...event.dataTransfer.files]);
    });
  }
  try {
    const health = await (await fetch("health")).json();
    ({ models, limits } = health);
  } catch {
    show("The server cannot be reached: is it running?", { error: true });
    return;
  }
  const pairs = models.map((m) => [m.from, m.to].filter(Boolean).map(language).join(" to "));
  const names = models.map((model) => model.name).join(", ");
  byId("about").textContent = `${[...new Set(pairs)].join(", ")} · ${names}`;
  byId("hint").textContent = "Speak one sentence, or drop a file here: " +
    `${limits.min_sec} to ${limits.max_sec} s, up to ${limits.max_bytes / 1e6} MB.`;
  busy(false);
}

start();

// The net graph: what the netcode does, as small live plots, and switches to make its life harder.

import { PARTS, TURN } from './parts.js';

/** Samples that a plot shows, a few a second. */
const SAMPLES = 150;
const INTERVAL_MS = 100;
const ROW = 37;

const PLOTS = [
  ['Round trip', 'ms', '#63dcb4', (stats) => stats.rttMs],
  ['Jitter', 'ms', '#6fb7ff', (stats) => stats.arrivalJitterMs],
  ['Snapshot interval', 'ms', '#ffc857', (stats) => stats.snapshotIntervalMs],
  ['Snapshot size', 'B', '#ff8a5c', (stats) => stats.snapshotBytes],
  ['Input lead', 'ms', '#b98cff', (stats) => stats.inputLeadMs],
  ['Interpolation delay', 'ms', '#f58af0', (stats) => stats.interpolationDelayMs],
  ['Corrections', '/s', '#ff5b5b', null],
  ['Frame time', 'ms', '#d6e4ea', null],
];

export class NetGraph {
  drawsServer = false;

  #client;
  #panel = document.querySelector('#net');
  #canvas = document.querySelector('#net-plots');
  #context = this.#canvas.getContext('2d');
  #samples = PLOTS.map(() => new Float32Array(SAMPLES).fill(NaN));
  #next = 0;
  #at = 0;
  #worstFrame = 0;
  #corrections = 0;

  constructor(client) {
    this.#client = client;
    const of = (id) => document.querySelector(id);
    of('#net-server').onchange = ({ target }) => (this.drawsServer = target.checked);
    this.drawsServer = of('#net-server').checked;
    const slide = (id, text, field) => {
      const set = ({ value }) => {
        of(text).textContent = `${value} ms`;
        client.conditions[field] = Number(value);
      };
      of(id).oninput = ({ target }) => set(target);
      set(of(id));
    };
    slide('#net-delay', '#net-delay-text', 'delayMs');
    slide('#net-jitter', '#net-jitter-text', 'jitterMs');
    of('#net-stall').onclick = () => (client.conditions.stallUntil = performance.now() + 1000);
    of('#net-cut').onclick = () => client.cut();
    of('#net form').onsubmit = (event) => event.preventDefault();
  }

  get isOpen() {
    return !this.#panel.hidden;
  }

  toggle() {
    this.#panel.hidden = !this.#panel.hidden;
  }

  /** Once a frame. */
  draw(now, frameMs) {
    if (!this.isOpen) return;
    this.#worstFrame = Math.max(this.#worstFrame, frameMs);
    if (now < this.#at) return;
    const passed = now - this.#at;
    this.#at = now + INTERVAL_MS;
    const stats = this.#client.stats();
    const rate = passed > 2000 ? 0 : (stats.corrections - this.#corrections) * (1000 / INTERVAL_MS);
    this.#corrections = stats.corrections;
    for (let plot = 0; plot < PLOTS.length; plot += 1) {
      const value = PLOTS[plot][3]?.(stats) ?? (plot === 6 ? rate : this.#worstFrame);
      this.#samples[plot][this.#next] = value;
    }
    this.#worstFrame = 0;
    this.#next = (this.#next + 1) % SAMPLES;
    this.#plot(stats);
  }

  #plot(stats) {
    const density = Math.min(devicePixelRatio || 1, 2);
    const [wide, high] = [300, PLOTS.length * ROW];
    const [canvas, context] = [this.#canvas, this.#context];
    if (canvas.width !== wide * density || canvas.height !== high * density) {
      [canvas.width, canvas.height] = [wide * density, high * density];
    }
    context.setTransform(density, 0, 0, density, 0, 0);
    context.clearRect(0, 0, wide, high);
    context.font = '12px system-ui, sans-serif';
    context.textBaseline = 'alphabetic';
    for (let plot = 0; plot < PLOTS.length; plot += 1) {
      const [name, unit, colour] = PLOTS[plot];
      const samples = this.#samples[plot];
      const newest = samples[(this.#next + SAMPLES - 1) % SAMPLES];
      let most = unit === 'B' ? 100 : unit === '/s' ? 5 : 20;
      for (const value of samples) if (value > most) most = value;
      const top = plot * ROW;
      context.fillStyle = '#9eb0ba';
      context.textAlign = 'left';
      context.fillText(name, 0, top + 12);
      context.fillStyle = colour;
      context.textAlign = 'right';
      const total =
        unit === '/s'
          ? `${stats.corrections} in all`
          : Number.isNaN(newest)
            ? '–'
            : `${newest.toFixed(unit === 'B' ? 0 : 1)} ${unit}`;
      context.fillText(total, wide, top + 12);
      context.fillStyle = 'rgb(255 255 255 / 9%)';
      context.fillRect(0, top + ROW - 4, wide, 1);
      context.strokeStyle = colour;
      context.lineWidth = 1.25;
      context.beginPath();
      let isDown = false;
      for (let at = 0; at < SAMPLES; at += 1) {
        const value = samples[(this.#next + at) % SAMPLES];
        const [x, y] = [(at / (SAMPLES - 1)) * wide, top + ROW - 4 - Math.max(0, value / most) * 17];
        if (Number.isNaN(value)) isDown = false;
        else if (isDown) context.lineTo(x, y);
        else (context.moveTo(x, y), (isDown = true));
      }
      context.stroke();
    }
  }

  /** Draws where the newest snapshot has everybody, over what is shown. */
  drawServer(context) {
    const { kinds, avatarFields } = this.#client;
    const scene = this.#client.drawServer();
    context.lineWidth = 0.05 * PARTS;
    context.strokeStyle = '#ffffff';
    context.setLineDash([0.12 * PARTS, 0.1 * PARTS]);
    const ring = (x, y) => {
      context.beginPath();
      context.arc(x * PARTS, y * PARTS, 0.42 * PARTS, 0, TURN);
      context.stroke();
    };
    for (let row = scene.start; row < scene.end; row += scene.stride) {
      if (scene.values[row + 1] !== kinds.figure.id) continue;
      ring(scene.values[row + kinds.figure.position], scene.values[row + kinds.figure.position + 1]);
    }
    if (scene.avatar >= 0) {
      context.strokeStyle = '#63dcb4';
      const place = scene.avatar + avatarFields.position;
      ring(scene.values[place], scene.values[place + 1]);
    }
    context.setLineDash([]);
  }
}

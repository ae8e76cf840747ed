import { connect } from '../pkg/tickwire.js';
import * as arena from '../pkg/arena.js';

const canvas = document.querySelector('#view');
const context = canvas.getContext('2d');
const keys = new Set();
onkeydown = ({ code }) => keys.add(code);
onkeyup = ({ code }) => keys.delete(code);

const client = await connect({ game: arena, name: 'Example' });
client.on('status', ({ state }) => (document.querySelector('#state').textContent = state));
const { figure } = client.kinds;
const input = { way: [0, 0], aim: 0 };
let camera = [24, 14];

function circle(x, y, colour) {
  context.fillStyle = colour;
  context.beginPath();
  context.arc(x, y, 0.4, 0, Math.PI * 2);
  context.fill();
}

function frame() {
  input.way[0] = keys.has('ArrowRight') - keys.has('ArrowLeft');
  input.way[1] = keys.has('ArrowDown') - keys.has('ArrowUp');
  client.setInput(input);
  const { values, start, end, stride, avatar } = client.draw();
  const own = avatar + client.avatarFields.position;
  if (avatar >= 0) camera = [values[own], values[own + 1]];
  const [width, height] = [(canvas.width = innerWidth), (canvas.height = innerHeight)];
  const scale = Math.max(width, height) / 32;
  context.setTransform(scale, 0, 0, scale, width / 2 - camera[0] * scale, height / 2 - camera[1] * scale);
  for (let row = start; row < end; row += stride) {
    if (values[row + 1] !== figure.id) continue;
    circle(values[row + figure.position], values[row + figure.position + 1], '#ff8a5c');
  }
  if (avatar >= 0) circle(...camera, '#63dcb4');
  requestAnimationFrame(frame);
}
frame();

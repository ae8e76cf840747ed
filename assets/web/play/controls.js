// What the player wants: keyboard and mouse, or two thumbs.

const WAYS = {
  KeyW: [0, -1],
  ArrowUp: [0, -1],
  KeyS: [0, 1],
  ArrowDown: [0, 1],
  KeyA: [-1, 0],
  ArrowLeft: [-1, 0],
  KeyD: [1, 0],
  ArrowRight: [1, 0],
};
/** Pixels that a thumb moves for the full way. */
const REACH = 52;
/** From this part of the way on, the aiming thumb fires. */
const FIRES = 0.55;

export class Controls {
  /** The input, always the same object. */
  wanted = { way: [0, 0], aim: 0, fire: false, dash: false, weapon: 0 };
  /** Where the pointer is on the page. */
  pointer = { x: innerWidth / 2, y: innerHeight / 2, isUsed: false };
  isTouch = false;
  enabled = false;

  #held = new Set();
  #fires = false;
  #presses = { dash: false, weapon: 0 };
  #thumbs = new Map();
  #walk = [0, 0];
  /** The sum of the ways of the keys that are held. */
  #keys = [0, 0];
  #aims = [0, 0];
  #weapon = 1;
  #sticks;

  /** `act` hears of keys that are not the player's: 'chat', 'score', 'net', 'menu'. */
  constructor(stage, act) {
    this.#sticks = {
      walk: document.querySelector('#stick-walk'),
      aim: document.querySelector('#stick-aim'),
    };
    addEventListener('keydown', (event) => this.#key(event, true, act));
    addEventListener('keyup', (event) => this.#key(event, false, act));
    addEventListener('blur', () => this.release());
    addEventListener('pointermove', (event) => this.#move(event));
    stage.addEventListener('pointerdown', (event) => this.#down(event));
    for (const type of ['pointerup', 'pointercancel']) addEventListener(type, (event) => this.#up(event));
    stage.addEventListener('contextmenu', (event) => event.preventDefault());
    stage.addEventListener('wheel', () => this.#switch(), { passive: true });
    const press = (id, act) =>
      document.querySelector(id).addEventListener('pointerdown', (event) => {
        event.preventDefault();
        act();
      });
    press('#pad-dash', () => (this.#presses.dash = true));
    press('#pad-weapon', () => this.#switch());
  }

  /** Lets everything go. */
  release() {
    this.#held.clear();
    this.#walkByKeys();
    this.#thumbs.clear();
    this.#fires = false;
    [this.#walk, this.#aims] = [
      [0, 0],
      [0, 0],
    ];
  }

  /** What is in the hands, as the game says: a switch leads to the other one. */
  holds(weapon) {
    this.#weapon = weapon + 1;
  }

  /** Puts together what is wanted now; the own player is there on the page, in sixteenths of a pixel. */
  read(pageX, pageY) {
    const { wanted } = this;
    let x = this.#walk[0] + this.#keys[0];
    let y = this.#walk[1] + this.#keys[1];
    const length = Math.sqrt(x * x + y * y);
    if (length > 1) {
      x /= length;
      y /= length;
    }
    wanted.way[0] = x;
    wanted.way[1] = y;
    if (this.isTouch) {
      const pulled = Math.hypot(this.#aims[0], this.#aims[1]);
      if (pulled > 0.12) wanted.aim = Math.atan2(this.#aims[1], this.#aims[0]);
      else if (length > 0.2) wanted.aim = Math.atan2(y, x);
      wanted.fire = pulled > FIRES;
    } else {
      if (this.pointer.isUsed) {
        wanted.aim = Math.atan2(16 * this.pointer.y - pageY, 16 * this.pointer.x - pageX);
      }
      wanted.fire = this.#fires || this.#held.has('KeyJ');
    }
    // A press is for the next tick alone; the client keeps one that is shorter than a tick.
    wanted.dash = this.#presses.dash;
    wanted.weapon = this.#presses.weapon;
    this.#presses.dash = false;
    this.#presses.weapon = 0;
    return wanted;
  }

  #switch() {
    if (this.enabled) this.#presses.weapon = this.#weapon === 1 ? 2 : 1;
  }

  #walkByKeys() {
    const keys = this.#keys;
    keys[0] = keys[1] = 0;
    for (const key of this.#held) {
      keys[0] += WAYS[key]?.[0] ?? 0;
      keys[1] += WAYS[key]?.[1] ?? 0;
    }
  }

  #key(event, isDown, act) {
    const { code, target } = event;
    if (!isDown) this.#held.delete(code);
    this.#walkByKeys();
    if (target instanceof HTMLElement && isFor(target, code)) return;
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    if (code === 'Tab' && this.enabled) {
      event.preventDefault();
      act(isDown ? 'score' : 'score-off');
      return;
    }
    if (!isDown) return;
    if (code === 'Escape') act('menu');
    if (!this.enabled) return;
    if (target instanceof HTMLButtonElement && (code === 'Space' || code === 'Enter')) return;
    if (code in WAYS || code === 'Space' || code === 'Enter') event.preventDefault();
    if (event.repeat) return;
    this.#held.add(code);
    this.#walkByKeys();
    if (code === 'Space' || code === 'ShiftLeft') this.#presses.dash = true;
    if (code === 'Digit1') this.#presses.weapon = 1;
    if (code === 'Digit2') this.#presses.weapon = 2;
    if (code === 'KeyQ') this.#switch();
    if (code === 'Enter' || code === 'KeyT') {
      event.preventDefault();
      act('chat');
    }
    if (code === 'KeyN' || code === 'F3') {
      event.preventDefault();
      act('net');
    }
  }

  #down(event) {
    event.preventDefault();
    if (document.activeElement instanceof HTMLElement) document.activeElement.blur();
    if (event.pointerType === 'touch') {
      this.#useTouch(true);
      const side = event.clientX < innerWidth / 2 ? 'walk' : 'aim';
      if ([...this.#thumbs.values()].some((thumb) => thumb.side === side)) return;
      this.#thumbs.set(event.pointerId, { side, x: event.clientX, y: event.clientY });
      this.#stick(side, event.clientX, event.clientY, 0, 0);
      return;
    }
    this.#useTouch(false);
    this.#point(event);
    if (event.button === 0) this.#fires = this.enabled;
    if (event.button === 2) this.#presses.dash = this.enabled;
  }

  #move(event) {
    if (event.pointerType !== 'touch') {
      this.#point(event);
      return;
    }
    const thumb = this.#thumbs.get(event.pointerId);
    if (!thumb) return;
    let [x, y] = [(event.clientX - thumb.x) / REACH, (event.clientY - thumb.y) / REACH];
    const length = Math.hypot(x, y);
    if (length > 1) [x, y] = [x / length, y / length];
    this.#pull(thumb.side, x, y);
    this.#stick(thumb.side, thumb.x, thumb.y, x, y);
  }

  #up(event) {
    const thumb = this.#thumbs.get(event.pointerId);
    if (thumb) {
      this.#thumbs.delete(event.pointerId);
      this.#pull(thumb.side, 0, 0);
      this.#sticks[thumb.side].classList.remove('on');
    }
    if (event.pointerType !== 'touch' && event.button === 0) this.#fires = false;
  }

  #pull(side, x, y) {
    if (side === 'walk') this.#walk = Math.hypot(x, y) < 0.15 ? [0, 0] : [x, y];
    else this.#aims = [x, y];
  }

  #point(event) {
    Object.assign(this.pointer, { x: event.clientX, y: event.clientY, isUsed: true });
  }

  #useTouch(isTouch) {
    this.isTouch = isTouch;
    document.body.classList.toggle('touch', isTouch);
  }

  #stick(side, x, y, dx, dy) {
    const stick = this.#sticks[side];
    stick.classList.add('on');
    stick.style.transform = `translate(${x}px, ${y}px)`;
    stick.firstElementChild.style.transform = `translate(${dx * REACH}px, ${dy * REACH}px)`;
  }
}

/** Whether a key is for what has the focus: all keys where one writes, a few where one ticks or slides. */
function isFor(target, code) {
  if (!target.matches('input')) return false;
  if (target.type === 'text') return true;
  return target.type === 'range' ? code.startsWith('Arrow') : code === 'Space';
}

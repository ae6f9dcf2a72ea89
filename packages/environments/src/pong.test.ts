import { describe, expect, it } from "@jest/globals";
import { type Environment, stream } from "@magic-mask/core";
import fc from "fast-check";
import { type PongOptions, pong } from "./pong.ts";
import * as m from "./pong-machine.ts";

const [NOOP, FIRE, UP, DOWN] = [0, 1, 2, 3];

/** A game of two, or what `options` make of it, with a look at its words and a hand on them. */
function table(options: PongOptions = {}) {
  const world = pong(options);
  const bytes = new Uint8Array(world.snapshotBytes);
  const s = new Int32Array(bytes.buffer);
  const actions = new Float32Array(2);
  world.reset(0);
  return {
    world,
    s,
    put(words: Readonly<Record<number, number>>) {
      world.snapshot(bytes, 0);
      for (const [word, value] of Object.entries(words)) s[Number(word)] = value;
      world.restore(bytes, 0);
      world.snapshot(bytes, 0);
    },
    play(right = NOOP, left = NOOP, times = 1) {
      actions[0] = right;
      actions[1] = left;
      for (let k = 0; k < times; k++) world.step(actions);
      world.snapshot(bytes, 0);
    },
    ball: () => [s[m.BALL_X], s[m.BALL_Y], s[m.SPEED_X], s[m.SPEED_Y]],
  };
}

const one: PongOptions = { players: 1, frameSkip: 1, repeatActionProbability: 0 };
/** In the middle of play, in frame `frame`, with paddles in the middle. */
const inPlay = (x: number, y: number, vx: number, vy: number, more = {}) => ({
  [m.CLOCK]: 0,
  [m.BALL_X]: x,
  [m.BALL_Y]: y,
  [m.SPEED_X]: vx,
  [m.SPEED_Y]: vy,
  [m.DOUBLED]: 0,
  ...more,
});

describe("flight and bounces", () => {
  it("moves by (−vx, vy) a frame", () => {
    const { put, play, ball } = table();
    put(inPlay(100, 90, 3, -2));
    play();
    expect(ball()).toEqual([97, 88, 3, -2]);
  });

  it.each([
    // The wall's extra pixel, then the new speed: 45 + 1 + 2 and 206 − 1 − 1.
    [45, -2, 48, 2],
    [46, -2, 44, -2],
    [206, 1, 204, -1],
    [205, 1, 206, 1],
  ])("at y = %d by %d the next is %d by %d", (y, vy, nextY, nextVy) => {
    const { put, play, ball } = table();
    put(inPlay(100, y, 1, vy));
    play();
    expect(ball()).toEqual([99, nextY, 1, nextVy]);
  });

  it("leaves a paddle by where it was hit: ⌊(z + 3) / 4⌋ − 2", () => {
    const table = [-4, -3, 0, 1, 4, 5, 8, 9, 12, 13, 16].map(m.deflection);
    expect(table).toEqual([-3, -2, -2, -1, -1, 0, 0, 1, 1, 2, 2]);
  });

  it("touches the right paddle in lines of two, from 2 above it to 15 below its top, in 5 columns", () => {
    const zs = (y: number, p: number) => (m.touchesRight(188, y, p) ? [y - p] : []);
    const all = (p: number, odd: number) =>
      Array.from({ length: 60 }, (_, k) => 80 + 2 * k + odd).flatMap((y) => zs(y, p));
    expect(all(100, 0)).toEqual([-2, 0, 2, 4, 6, 8, 10, 12, 14]);
    expect(all(100, 1)).toEqual([-1, 1, 3, 5, 7, 9, 11, 13, 15]);
    expect(all(101, 0)).toEqual([-1, 1, 3, 5, 7, 9, 11, 13, 15]);
    expect(all(101, 1)).toEqual([0, 2, 4, 6, 8, 10, 12, 14, 16]);
    expect([187, 188, 192, 193].map((x) => m.touchesRight(x, 105, 100))).toEqual([false, true, true, false]);
  });

  it("touches the left paddle from 4 above it to 14 below its top, in 5 columns", () => {
    const all = (p: number) => Array.from({ length: 60 }, (_, k) => 80 + k).filter((y) => m.touchesLeft(68, y, p));
    expect([Math.min(...all(100)), Math.max(...all(100)), all(100).length]).toEqual([96, 114, 19]);
    expect([Math.min(...all(101)), Math.max(...all(101)), all(101).length]).toEqual([98, 116, 19]);
    expect([63, 64, 68, 69].map((x) => m.touchesLeft(x, 105, 100))).toEqual([false, true, true, false]);
  });

  it("turns at a paddle and moves at once by the new speed; an overlap of two frames counts twice", () => {
    const { put, play, ball, s } = table();
    // z = 111 − 109 = 2, so that vy = ⌊5 / 4⌋ − 2 = −1.
    put(inPlay(189, 111, -1, 2));
    play();
    expect([...ball(), s[m.CONTACTS], s[m.LAST]]).toEqual([188, 110, 1, -1, 1, m.RIGHT]);
    // z = 1 now: still −1, and it flies on to the left.
    play();
    expect([...ball(), s[m.CONTACTS]]).toEqual([187, 109, 1, -1, 2]);
    play();
    expect([...ball(), s[m.CONTACTS]]).toEqual([186, 108, 1, -1, 2]);
  });

  it("grazes the right paddle from 3 above while both knobs charge and no left paddle is drawn, with two players alone", () => {
    // Top 100, y = 97; the reading of the last frame was 150 and nobody's knob reads 110: both are past line 100.
    const graze = { [m.PADDLE + m.RIGHT]: 100, [m.PADDLE + m.LEFT]: 150, [m.READING]: 150 };
    const turned = (x: number, more: object, options?: PongOptions) => {
      const { put, play, s } = table(options);
      put(inPlay(x, 97, -1, 0, { ...graze, ...more }));
      play();
      return s[m.SPEED_X] === 1;
    };
    expect([187, 188, 190, 191].map((x) => turned(x, {}))).toEqual([false, true, true, false]);
    expect(turned(188, { [m.READING]: 98 })).toBe(false);
    expect(turned(188, { [m.READING]: 100 })).toBe(true);
    // The left paddle is drawn at line 102 from 87 to 102.
    expect([86, 87, 102, 103].map((p) => turned(188, { [m.PADDLE + m.LEFT]: p }))).toEqual([true, false, false, true]);
    // A paddle below line 110, and a game of one.
    expect(turned(188, {}, one)).toBe(false);
  });
});

describe("speed", () => {
  it("with one player grows by 1, to 4, with each contact under FIRE, held since the frame before", () => {
    const speeds = [1, 3, 4].map((vx) => {
      const { put, play, s } = table(one);
      put(inPlay(188, 115, -vx, 0, { [m.FIRE + m.RIGHT]: 1 }));
      play(NOOP);
      return s[m.SPEED_X];
    });
    expect(speeds).toEqual([2, 4, 4]);
    const { put, play, s } = table(one);
    put(inPlay(188, 115, -1, 0));
    play(FIRE);
    expect(s[m.SPEED_X]).toBe(1);
  });

  it("with two players grows at every fourth contact", () => {
    const after = [0, 2, 3, 6, 7, 11, 15, 255].map((contacts) => {
      const { put, play, s } = table();
      put(inPlay(188, 115, -1, 0, { [m.CONTACTS]: contacts, [m.FIRE + m.RIGHT]: 1 }));
      play();
      return s[m.SPEED_X];
    });
    expect(after).toEqual([1, 1, 2, 1, 2, 2, 2, 1]);
  });

  it("with two players doubles up and down while who touched the ball last holds FIRE, one frame late", () => {
    const { put, play, ball } = table();
    put(inPlay(120, 90, 1, 2, { [m.LAST]: m.LEFT }));
    play(NOOP, FIRE);
    expect(ball()[1]).toBe(92);
    play(FIRE, NOOP);
    expect(ball()[1]).toBe(96);
    play();
    expect(ball()[1]).toBe(98);
  });
});

describe("paddles", () => {
  it("reads knobs by twos, from 38 to 204", () => {
    // (408 823 + 30 923) / 7982 = 55.09…; (27 450 + 30 923) / 7982 = 7.3…; (790 196 + 30 923) / 7982 = 102.8…
    expect([m.KNOB_CENTRE, m.KNOB_LOW, m.KNOB_HIGH].map(m.readingOf)).toEqual([110, 38, 204]);
    expect([7982 * 60 - 30_923 - 1, 7982 * 60 - 30_923].map(m.readingOf)).toEqual([118, 120]);
  });

  it("goes half way to every second frame's reading, a frame later", () => {
    const { play, s } = table(one);
    const places: number[] = [];
    for (let k = 0; k < 5; k++) {
      play(UP);
      places.push(s[m.PADDLE + m.RIGHT]);
    }
    // Frame 71 is odd, the right knob's: 408 823 − 23 000 reads 2·⌊416 746 / 7982⌋ = 104, (109 + 104) / 2 → 106. Frame 73:
    // three turns, 2·⌊370 746 / 7982⌋ = 92, (106 + 92) / 2 = 99. Each is drawn in the frame after.
    expect(places).toEqual([109, 106, 106, 99, 99]);
  });

  it("coasts on after the knob has stopped, and ends at 38 and 203", () => {
    const { play, s } = table(one);
    play(UP, NOOP, 100);
    expect(s[m.PADDLE + m.RIGHT]).toBe(38);
    play(DOWN, NOOP, 100);
    expect(s[m.PADDLE + m.RIGHT]).toBe(203);
  });

  it("the CPU's goes by 2 to where the ball is now, and rests in every eighth frame", () => {
    const { put, play, s } = table(one);
    put(inPlay(150, 150, 1, 0, { [m.CPU]: 100, [m.FRAME]: 256 + 14 }));
    const places = Array.from({ length: 4 }, () => {
      play();
      return s[m.PADDLE + m.LEFT];
    });
    expect(places).toEqual([102, 104, 104, 106]);
  });
});

describe("points and serves", () => {
  it("scores past x = 52 and 205, pays, and serves 63 frames later toward who lost, up or down as before", () => {
    const { put, play, ball, s, world } = table(one);
    put(inPlay(53, 100, 1, -2));
    play();
    expect([...ball(), ...world.rewards]).toEqual([52, 98, 1, -2, 0]);
    play();
    expect([s[m.SCORE + m.RIGHT], s[m.CLOCK], ...world.rewards]).toEqual([1, 63, 1]);
    play(NOOP, NOOP, 62);
    expect([s[m.BALL_Y], s[m.CLOCK], ...world.rewards]).toEqual([0, 1, 0]);
    play();
    expect([...ball(), s[m.PADDLE + m.LEFT]]).toEqual([127, 127, 1, -1, 126]);
    put(inPlay(205, 100, -1, 2));
    play();
    expect([s[m.SCORE + m.LEFT], ...world.rewards]).toEqual([1, -1]);
    play(NOOP, NOOP, 63);
    expect(ball()).toEqual([129, 129, -1, 1]);
  });

  it("opens to the left, by itself", () => {
    const single = table(one);
    single.play(NOOP, NOOP, 59);
    expect(single.ball()).toEqual([127, 129, 1, 1]);
    const double = table();
    double.play(NOOP, NOOP, 57);
    // Up and down count twice until somebody touches it.
    expect(double.ball()).toEqual([127, 130, 1, 1]);
  });

  it("with two players waits for the scorer's FIRE, and makes a scorer pay 1 for every 120 frames", () => {
    const { put, play, s, world } = table();
    put(inPlay(52, 100, 1, 1));
    play(FIRE, FIRE);
    expect([...world.rewards]).toEqual([1, -1]);
    const paid: number[][] = [];
    for (let frame = 1; frame < 245; frame++) {
      play(NOOP, FIRE);
      if (world.rewards[0] !== 0) paid.push([frame, ...world.rewards]);
    }
    // The point's own frame counts.
    expect(paid).toEqual([
      [119, -1, 0],
      [239, -1, 0],
    ]);
    expect(s[m.CLOCK]).toBe(1);
    play(FIRE);
    expect(s[m.CLOCK]).toBe(1);
    play();
    expect([s[m.CLOCK], s[m.BALL_X]]).toEqual([0, 127]);
  });

  it("ends at 21, and at the frame limit, in the middle of a step too", () => {
    const won = table({ players: 1, repeatActionProbability: 0 });
    won.put(inPlay(52, 100, 1, 1, { [m.SCORE + m.RIGHT]: 20 }));
    won.play();
    expect([...won.world.rewards, ...won.world.terminated, ...won.world.truncated, won.s[m.CLOCK]]).toEqual([
      1, 1, 0, 63,
    ]);
    const late = table({ frameSkip: 4, maxFrames: 6 });
    late.play();
    expect([...late.world.truncated]).toEqual([0, 0]);
    late.play();
    expect([...late.world.truncated, ...late.world.terminated]).toEqual([1, 1, 0, 0]);
    expect(late.s[m.CLOCK]).toBe(51);
  });

  it("sums the rewards of a step's frames", () => {
    const { put, play, world } = table({ frameSkip: 200 });
    put({ ...inPlay(52, 100, 1, 1), [m.LAST]: m.RIGHT });
    play();
    expect([...world.rewards]).toEqual([0, -1]);
  });

  it("goes idle when the frame counter runs over, as the original does", () => {
    const { put, play, s, world } = table(one);
    put(inPlay(100, 100, 1, 1, { [m.FRAME]: 0xffff, [m.SCORE + m.LEFT]: 5 }));
    play();
    expect([s[m.BALL_X], ...world.rewards]).toEqual([99, 0]);
    play();
    expect([s[m.BALL_X], s[m.BALL_Y], s[m.SCORE + m.LEFT], ...world.rewards]).toEqual([99, 101, 1, 4]);
    play(FIRE, NOOP, 300);
    expect([s[m.BALL_X], s[m.BALL_Y], s[m.SCORE + m.LEFT]]).toEqual([99, 0, 1]);
    expect(world.render()).toContain("attract mode");
  });
});

describe("options", () => {
  it("repeats the last action with the given probability, frame by frame", () => {
    const always = table({ ...one, repeatActionProbability: 1 });
    always.play(UP, NOOP, 20);
    expect(always.s[m.KNOB + m.RIGHT]).toBe(m.KNOB_CENTRE);
    // 1000 pairs of UP then DOWN from the middle: a frame of UP is repeated in a quarter of the cases.
    const quarter = table({ ...one, repeatActionProbability: 0.25 });
    let repeated = 0;
    for (let k = 0; k < 1000; k++) {
      quarter.put({ [m.KNOB + m.RIGHT]: m.KNOB_CENTRE, [m.ACTION + m.RIGHT]: UP });
      quarter.play(DOWN);
      if (quarter.s[m.KNOB + m.RIGHT] < m.KNOB_CENTRE) repeated++;
    }
    expect(repeated).toBeGreaterThan(200);
    expect(repeated).toBeLessThan(300);
  });

  it("plays four frames of the same in a step of four", () => {
    const [each, four] = [table(one), table({ ...one, frameSkip: 4 })];
    const choose = stream(5, "actions");
    for (let k = 0; k < 300; k++) {
      const action = choose.below(6);
      each.play(action, NOOP, 4);
      four.play(action);
      expect([...four.s.subarray(0, m.MACHINE_WORDS)]).toEqual([...each.s.subarray(0, m.MACHINE_WORDS)]);
    }
  });
});

describe("features", () => {
  const seen = (world: Environment, agent: number) => {
    const out = new Float32Array(24);
    world.observe(agent, out, 0);
    return [...out];
  };

  it("show each player itself on the right", () => {
    const { put, world } = table();
    // The left player's ball is at 256 − 100 = 156.
    put(
      inPlay(100, 160, 2, -1, {
        [m.PADDLE + m.LEFT]: 64,
        [m.PADDLE + m.RIGHT]: 192,
        [m.NEXT + m.LEFT]: 96,
        [m.NEXT + m.RIGHT]: 160,
        [m.KNOB + m.LEFT]: m.KNOB_LOW,
        [m.KNOB + m.RIGHT]: m.KNOB_HIGH,
        [m.ACTION + m.LEFT]: UP,
        [m.ACTION + m.RIGHT]: DOWN,
        [m.FIRE + m.LEFT]: 1,
        [m.DOUBLED]: 1,
        [m.LAST]: m.LEFT,
        [m.CONTACTS]: 6,
        [m.SCORE + m.LEFT]: 7,
        [m.SCORE + m.RIGHT]: 14,
        [m.FRAME]: 256 + 21,
      }),
    );
    const f = Math.fround;
    expect(seen(world, 0)).toEqual(
      [
        1,
        -0.35,
        0.25,
        -0.5,
        -0.25,
        0.5,
        0.25,
        1,
        -0.5,
        -0.25,
        -1,
        1,
        -1,
        0,
        1,
        1,
        -1,
        0,
        0,
        2 / 3,
        14 / 21,
        7 / 21,
        1,
        5 / 7,
      ].map(f),
    );
    expect(seen(world, 1)).toEqual(
      [
        1,
        0.35,
        0.25,
        0.5,
        -0.25,
        -0.5,
        -0.25,
        -1,
        0.5,
        0.25,
        1,
        -1,
        1,
        1,
        0,
        1,
        1,
        0,
        0,
        2 / 3,
        7 / 21,
        14 / 21,
        0,
        5 / 7,
      ].map(f),
    );
  });

  it("show the waiting for a serve, and no ball meanwhile", () => {
    const { world, play, put } = table();
    put({ ...inPlay(52, 100, 1, 1), [m.LAST]: m.NOBODY });
    play();
    play();
    const [inPlayNow, x, y] = seen(world, 0);
    expect([inPlayNow, x, y]).toEqual([0, 0, 0]);
    expect(seen(world, 0)[16]).toBe(1);
    expect(seen(world, 1)[16]).toBe(-1);
    expect(seen(world, 0)[17]).toBe(Math.fround(62 / 63));
    expect(seen(world, 0)[18]).toBe(Math.fround(2 / 120));
  });

  it("stay in their bounds wherever the ball may be", () => {
    const word = fc.integer({ min: 0, max: 255 });
    fc.assert(
      fc.property(
        fc.integer({ min: 53, max: 204 }),
        word,
        fc.integer({ min: -4, max: 4 }),
        fc.integer({ min: -3, max: 3 }),
        (x, y, vx, vy) => {
          const { put, play, world } = table();
          put(inPlay(x, y, vx, vy, { [m.DOUBLED]: 1 }));
          play(FIRE, FIRE, 3);
          for (const agent of [0, 1])
            for (const value of seen(world, agent)) expect(Math.abs(value)).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("pixels", () => {
  /** The screen of 160 × 210 in greys, then the mean of each 40/21 × 5/2 of it: the slow way. */
  function slowly(x: number, y: number, leftPaddle: number, rightPaddle: number): number[] {
    const screen = Array.from({ length: 210 }, (_, row) =>
      new Array<number>(160).fill(row === 0 ? 0 : (row >= 24 && row < 34) || row >= 194 ? 236 : 87),
    );
    const paint = (column: number, row: number, width: number, height: number, grey: number) => {
      for (let r = Math.max(34, row); r < Math.min(194, row + height); r++)
        screen[r].fill(grey, column, column + width);
    };
    const even = (p: number) => p + (p % 2);
    paint(16, even(leftPaddle) - 15, 4, 16, 148);
    paint(140, even(rightPaddle) - 14, 4, 16, 147);
    paint(x - 49, y - 14, 2, 4, 236);
    return Array.from({ length: 84 * 84 }, (_, i) => {
      const [top, left] = [Math.floor(i / 84) * 2.5, ((i % 84) * 160) / 84];
      const [bottom, right] = [top + 2.5, left + 160 / 84];
      let sum = 0;
      for (let r = Math.floor(top); r < bottom; r++) {
        for (let c = Math.floor(left); c < Math.min(160, right); c++) {
          sum +=
            (Math.min(r + 1, bottom) - Math.max(r, top)) * (Math.min(c + 1, right) - Math.max(c, left)) * screen[r][c];
        }
      }
      return sum / ((2.5 * 160) / 84) / 255;
    });
  }
  const see = (world: Environment, agent: number) => {
    const out = new Float32Array(84 * 84 * 4);
    world.observe(agent, out, 0);
    return (channel: number) => Array.from({ length: 84 * 84 }, (_, i) => out[4 * i + channel]);
  };

  it.each([
    [100, 100, 80, 150],
    [101, 103, 81, 151],
    [60, 46, 39, 203],
    [120, 205, 203, 38],
  ])("show the screen scaled by area, with ball %d, %d and paddles %d, %d", (x, y, left, right) => {
    const { put, play, world } = table({ observation: "pixels" });
    // One frame moves the ball by (−1, 0) and draws the paddles where they were to be drawn next.
    put(inPlay(x + 1, y, 1, 0, { [m.NEXT + m.LEFT]: left, [m.NEXT + m.RIGHT]: right }));
    play();
    const picture = see(world, 0)(3);
    const wanted = slowly(x, y, left, right);
    const worst = Math.max(...picture.map((grey, i) => Math.abs(grey - wanted[i])));
    expect(worst).toBeLessThan(0.51 / 255);
  });

  it("hold the last four steps, oldest first, and show the left player itself on the right", () => {
    const { put, play, world } = table({ observation: "pixels" });
    put(inPlay(100, 100, 2, 1));
    play();
    const first = see(world, 0)(3);
    play();
    const second = see(world, 0);
    expect(second(2)).toEqual(first);
    expect(second(3)).not.toEqual(first);
    play(NOOP, NOOP, 2);
    expect(see(world, 0)(0)).toEqual(first);
    // 84 columns for 160: their middles mirror each other.
    const mirrored = see(world, 1)(0);
    const ball = (picture: number[]) =>
      picture.flatMap((grey, i) =>
        grey > 0.5 && i > 20 * 84 && i < 70 * 84 && i % 84 > 12 && i % 84 < 72 ? [[i % 84, Math.floor(i / 84)]] : [],
      );
    expect(
      ball(mirrored)
        .map(([column, row]) => [83 - column, row])
        .sort(),
    ).toEqual(ball(first).sort());
  });
});

describe("the CPU's paddle", () => {
  /**
   * Follows the ball: foresees where it comes down, walls included, turns the knob until its reading is 10 above that place, and
   * hits with the lower half, so that the ball leaves faster down than the CPU follows.
   */
  function follow(seen: Float32Array): number {
    const [inPlay, x, y, toward, down] = [seen[0], 80 * seen[1], 128 * seen[2] + 128, 4 * seen[3], 4 * seen[4]];
    let aim = 120;
    if (inPlay && toward > 0) {
      // Walls at 46 and 206: a path of 320 up and down.
      const path = (((y - 46 + (down * (60 - x)) / toward) % 320) + 320) % 320;
      aim = 46 + Math.min(path, 320 - path) - 10;
    }
    const knob = 3991 * (Math.max(38, Math.min(204, aim)) + 1) - 30_923;
    const turn = knob - (m.KNOB_CENTRE + seen[7] * (m.KNOB_HIGH - m.KNOB_CENTRE));
    return turn < -20_000 ? UP : turn > 20_000 ? DOWN : NOOP;
  }

  const scores = (options: PongOptions, seeds: readonly number[], act: (seen: Float32Array) => number) => {
    const world = pong(options);
    const seen = new Float32Array(24);
    const actions = new Float32Array(1);
    return seeds.map((seed) => {
      let score = 0;
      for (world.reset(seed); world.acting[0]; score += world.rewards[0]) {
        world.observe(0, seen, 0);
        actions[0] = act(seen);
        world.step(actions);
      }
      return score;
    });
  };

  it("is beaten by 15 and more by one who follows the ball and hits it with the lower half", () => {
    for (const score of scores({ players: 1 }, [0, 1, 2, 3], follow)) expect(score).toBeGreaterThanOrEqual(15);
  });

  it("beats random play", () => {
    const choose = stream(1, "random player");
    for (const score of scores({ players: 1 }, [0, 1, 2], () => choose.below(6))) expect(score).toBeLessThan(-15);
  });
});

import { box, discrete, type Environment, MagicMaskError } from "@magic-mask/core";
import { readSnapshot, requireEpisode } from "./checks.ts";
import { agentColours, colours, shape, svgDocument, words } from "./svg.ts";

/** What tells one line game from another. */
export interface LineGameRules {
  readonly id: string;
  /** Who moves first, and who second. */
  readonly agents: readonly [first: string, second: string];
  readonly rows: number;
  readonly columns: number;
  /** Stones in a line that win. */
  readonly inARow: number;
  /** Stones fall to the lowest empty cell of a column, and an action is a column; otherwise an action is a cell. */
  readonly gravity: boolean;
  /** [A] a word per action. */
  readonly labels: readonly string[];
  /** Adds the planes of winning cells to the observation. */
  readonly threats: boolean;
}

/**
 * PettingZoo masks by the board alone: its mask of the selected agent goes on listing the free actions after the end of
 * a game, where this workspace's `legal` is all zero because nobody acts. A world whose rules know free actions without a
 * mover offers them here, for the facades that speak PettingZoo; any other world leaves the method out.
 */
export interface OpenActions {
  /** Writes the mask of the actions that the position leaves open, whoever's move it is, over or not, to `out[offset …]`. */
  openActions(out: Uint8Array, offset: number): void;
}

const EMPTY = 0;
// What may come next. Up to SECOND it is also the stone of the agent to move; from DRAW on the game is over.
const UNSTARTED = 0;
const FIRST = 1;
const SECOND = 2;
const DRAW = 3;
/** Plus the winner's stone. */
const WON = 3;

/** [L × inARow] the cells of every straight line of `inARow` cells; cell = row × columns + column. */
export function linesOf(rows: number, columns: number, inARow: number): Uint8Array {
  const lines: number[] = [];
  for (const [down, right] of [
    [0, 1],
    [1, 0],
    [1, 1],
    [1, -1],
  ]) {
    for (let cell = 0; cell < rows * columns; cell++) {
      const lastRow = Math.floor(cell / columns) + (inARow - 1) * down;
      const lastColumn = (cell % columns) + (inARow - 1) * right;
      if (lastRow >= rows || lastColumn < 0 || lastColumn >= columns) continue;
      for (let k = 0; k < inARow; k++) lines.push(cell + k * (down * columns + right));
    }
  }
  return Uint8Array.from(lines);
}

/**
 * Marks the empty cells where one stone more would complete a line.
 *
 * @param cells [rows × columns] 0 = empty, 1 and 2 = the stones of the two sides
 * @param lines [L × inARow] of `linesOf`
 * @param wins [rows × columns] written: bit s − 1 is set where side s would complete a line, reachable now or not
 */
export function markWins(cells: Uint8Array, lines: Uint8Array, inARow: number, wins: Uint8Array): void {
  wins.fill(0);
  for (let start = 0; start < lines.length; start += inARow) {
    // Cubes, 1 and 8, add up to a sum that tells how many stones of each side a line of up to eight has.
    let sum = 0;
    for (let k = start; k < start + inARow; k++) {
      const stone = cells[lines[k]];
      sum += stone * stone * stone;
    }
    const side = sum === inARow - 1 ? FIRST : sum === 8 * (inARow - 1) ? SECOND : EMPTY;
    if (side === EMPTY) continue;
    let k = start;
    while (cells[lines[k]] !== EMPTY) k++;
    wins[lines[k]] |= side;
  }
}

/**
 * Two agents place stones in turns; the first to own a straight line of `inARow` cells wins. More in a row wins too, and a
 * win on the last empty cell is a win.
 *
 * Rewards: on the final move +1 for the winner, −1 for the loser, 0 for both in a draw; 0 before. No chance: the seed of
 * `reset` changes nothing.
 */
export function lineGame(rules: LineGameRules): Environment & OpenActions {
  const { id, agents, rows, columns, inARow, gravity, labels, threats } = rules;
  const source = `environments/${id}`;
  const size = rows * columns;
  const choices = labels.length;
  const lines = linesOf(rows, columns, inARow);
  const { partners, starts } = partnersOf(lines, inARow, size);
  const planes = threats ? 4 : 2;
  const space = box([rows, columns, planes], 0, 1);
  const actionSpace = discrete(choices, labels);
  const features = Array.from({ length: size * planes }, (_, i) => i);

  // The whole state: one byte a cell, then one that says what comes next. The other arrays follow from it.
  const state = new Uint8Array(size + 1);
  const cells = state.subarray(0, size);
  const wins = new Uint8Array(size);
  let free = size;
  const acting = new Uint8Array(2);
  const rewards = new Float64Array(2);
  const terminated = new Uint8Array(2);

  const enter = (next: number) => {
    state[size] = next;
    acting[0] = next === FIRST ? 1 : 0;
    acting[1] = next === SECOND ? 1 : 0;
    terminated[0] = next >= DRAW ? 1 : 0;
    terminated[1] = terminated[0];
    rewards[0] = next <= DRAW ? 0 : next === WON + FIRST ? 1 : -1;
    rewards[1] = next <= DRAW ? 0 : -rewards[0];
  };

  /** Whether the stone on `cell` is part of a full line. */
  const completes = (cell: number): boolean => {
    const stone = cells[cell];
    for (let at = starts[cell]; at < starts[cell + 1]; at += inARow - 1) {
      let k = 0;
      while (k < inARow - 1 && cells[partners[at + k]] === stone) k++;
      if (k === inARow - 1) return true;
    }
    return false;
  };

  const status = () => {
    const next = state[size];
    const side = (stone: number) => `${["", "●", "○"][stone]} ${agents[stone - 1]}`;
    if (next === UNSTARTED) return "not started";
    if (next < DRAW) return `${side(next)} to move`;
    return next === DRAW ? "draw" : `${side(next - WON)} won`;
  };

  return {
    id,
    agents,
    roles: ["player", "player"],
    observationSpaces: [space, space],
    actionSpaces: [actionSpace, actionSpace],
    turnBased: true,
    zeroSum: true,
    returnRange: [-1, 1],
    commonFeatures: [features, features],
    chance: "none",
    snapshotBytes: size + 1,
    acting,
    rewards,
    terminated,
    truncated: new Uint8Array(2),

    reset() {
      cells.fill(EMPTY);
      free = size;
      enter(FIRST);
    },

    observe(agent, out, offset) {
      const own = agent + 1;
      const other = 2 - agent;
      for (let cell = 0, at = offset; cell < size; cell++, at += planes) {
        const stone = cells[cell];
        out[at] = stone === own ? 1 : 0;
        out[at + 1] = stone === other ? 1 : 0;
      }
      if (!threats) return;
      markWins(cells, lines, inARow, wins);
      for (let cell = 0, at = offset + 2; cell < size; cell++, at += planes) {
        out[at] = wins[cell] & own ? 1 : 0;
        out[at + 1] = wins[cell] & other ? 1 : 0;
      }
    },

    // Row 0 is the top, so the cell of the same number tells in both kinds of game whether an action is open: it is the
    // top of the column, or the cell itself.
    legal(agent, out, offset) {
      let count = 0;
      for (let action = 0; action < choices; action++) {
        const open = acting[agent] === 1 && cells[action] === EMPTY;
        out[offset + action] = open ? 1 : 0;
        if (open) count++;
      }
      return count;
    },

    openActions(out, offset) {
      for (let action = 0; action < choices; action++) out[offset + action] = cells[action] === EMPTY ? 1 : 0;
    },

    step(actions) {
      const stone = state[size];
      requireEpisode(source, stone !== UNSTARTED && stone < DRAW);
      const action = actions[stone - 1];
      if (!(action < choices && cells[action] === EMPTY)) {
        const open = labels.filter((_, a) => cells[a] === EMPTY).join(", ");
        throw new MagicMaskError(
          "illegal-action",
          source,
          `${agents[stone - 1]} may play ${open}; got action ${action}`,
        );
      }
      let cell = action;
      if (gravity) {
        cell += size - columns;
        while (cells[cell] !== EMPTY) cell -= columns;
      }
      cells[cell] = stone;
      free--;
      if (completes(cell)) enter(WON + stone);
      else enter(free === 0 ? DRAW : 3 - stone);
    },

    snapshot(out, offset) {
      out.set(state, offset);
    },

    restore(from, offset) {
      readSnapshot(source, from, offset, state);
      free = 0;
      for (let cell = 0; cell < size; cell++) if (cells[cell] === EMPTY) free++;
      enter(state[size]);
    },

    render() {
      const stones = (cell: number) => ["·", "●", "○"][cells[cell]];
      const board = Array.from({ length: rows }, (_, row) =>
        Array.from({ length: columns }, (_, column) => stones(row * columns + column)).join(" "),
      );
      // The last digit, so that boards of more than ten columns stay straight.
      const numbers = gravity ? [labels.map((_, column) => column % 10).join(" ")] : [];
      return [...numbers, ...board, status()].join("\n");
    },

    svg() {
      const place = (cell: number) => ({
        cx: 40 * (cell % columns) + 30,
        cy: 40 * Math.floor(cell / columns) + (gravity ? 48 : 30),
      });
      const numbers = gravity
        ? labels.map((_, column) => words(place(column).cx, 20, String(column), { "text-anchor": "middle" }))
        : [];
      const holes = Array.from(cells, (stone, cell) => {
        const fill = stone === EMPTY ? "none" : agentColours[stone - 1];
        return shape("circle", { ...place(cell), r: 16, fill, stroke: colours.line });
      });
      const rings: string[] = [];
      for (let start = 0; start < lines.length; start += inARow) {
        const line = lines.subarray(start, start + inARow);
        if (state[size] <= DRAW || line.some((cell) => cells[cell] !== state[size] - WON)) continue;
        for (const cell of line) {
          rings.push(shape("circle", { ...place(cell), r: 9, fill: "none", stroke: colours.ink, "stroke-width": 3 }));
        }
      }
      const next = state[size];
      const side = next === UNSTARTED || next === DRAW ? 0 : next < DRAW ? next : next - WON;
      const foot = place(size - 1).cy + 38;
      const colour = side === 0 ? [] : [shape("circle", { cx: 20, cy: foot - 4, r: 6, fill: agentColours[side - 1] })];
      const text = words(side === 0 ? 14 : 32, foot, status().replace(/^[●○] /, ""));
      return svgDocument(Math.max(40 * columns + 20, 150), foot + 14, [
        ...numbers,
        ...holes,
        ...rings,
        ...colour,
        text,
      ]);
    },
  };
}

/** Per cell, the other cells of each line through it: those of cell c are `partners[starts[c] … starts[c + 1] − 1]`. */
function partnersOf(lines: Uint8Array, inARow: number, size: number) {
  const partners: number[] = [];
  const starts = new Uint16Array(size + 1);
  for (let cell = 0; cell < size; cell++) {
    for (let start = 0; start < lines.length; start += inARow) {
      const line = lines.subarray(start, start + inARow);
      if (line.includes(cell)) partners.push(...line.filter((other) => other !== cell));
    }
    starts[cell + 1] = partners.length;
  }
  return { partners: Uint8Array.from(partners), starts };
}

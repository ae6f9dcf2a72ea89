import { type Environment, isOver, type MakeEnvironment, slotWidth } from "../environment.ts";
import { type Stream, stream } from "../random.ts";
import { actionWidth, boxSize, contains, maskWidth } from "../space.ts";
import { broken, type Law, law, throwsCode } from "./law.ts";
import { flawOf } from "./well-formed.ts";

/** Ticks after which an episode under random play is taken to be endless. */
const LIMIT = 20_000;
/** Ticks for which two episodes are compared. */
const COMPARED = 1_000;
const SEEDS = [0, 1, 2, 0xffffffff];
/** Seeds that part from seed 0, if a world heeds seeds at all; their upper halves are zero. */
const LOW_SEEDS = Array.from({ length: 15 }, (_, k) => k + 1);
/** Seeds that are told from seed 0 by their upper half alone. */
const HIGH_SEEDS = LOW_SEEDS.map((seed) => seed * 0x10000);
const KINDS = { acting: "Uint8Array", rewards: "Float64Array", terminated: "Uint8Array", truncated: "Uint8Array" };
// By name: test runners that sandbox modules find a global some hundred times more slowly.
const { is } = Object;
const { imul } = Math;
/** What arrays are filled with to see who writes where. */
const MARK = -12345;
const OFFERS = "offers every acting agent a legal action, and nobody else any";

/** The laws that every `Environment` obeys. A subject makes fresh instances. */
export const environmentLaws: readonly Law<MakeEnvironment>[] = [
  law("declares as many spaces, roles and arrays as it has agents", (fail, make) => {
    const environment = make();
    const N = environment.agents.length;
    if (!/_v\d+$/.test(environment.id)) fail(`the id must end in a version such as _v0, got "${environment.id}"`);
    if (N < 1 || new Set(environment.agents).size !== N)
      fail(`agents must be distinct names, got [${environment.agents}]`);
    const lengths = {
      roles: environment.roles.length,
      observationSpaces: environment.observationSpaces.length,
      actionSpaces: environment.actionSpaces.length,
      acting: environment.acting.length,
      rewards: environment.rewards.length,
      terminated: environment.terminated.length,
      truncated: environment.truncated.length,
    };
    for (const [name, length] of Object.entries(lengths)) {
      if (length !== N) fail(`${name} has ${length} entries for ${N} agents`);
    }
    for (const [name, wanted] of Object.entries(KINDS)) {
      // Of another realm, an array is no instance of this one's class.
      const kind = Object.prototype.toString.call(environment[name as keyof typeof KINDS]).slice(8, -1);
      if (kind !== wanted) fail(`${name} must be a ${wanted}, got a ${kind}`);
    }
    const { chance } = environment;
    if (chance !== undefined && !["none", "reset", "steps"].includes(chance))
      fail(`chance is "none", "reset" or "steps" where it is said, got ${JSON.stringify(chance)}`);
    for (const space of environment.actionSpaces) {
      if (space.kind === "discrete" && space.labels && space.labels.length !== space.n) {
        fail(`${space.labels.length} labels [${space.labels}] name ${space.n} actions`);
      }
    }
    const common = environment.commonFeatures;
    if (common && common.length !== N) fail(`commonFeatures has ${common.length} rows for ${N} agents`);
    common?.forEach((indices, agent) => {
      if (indices.length !== common[0].length) fail("commonFeatures differ in length between agents");
      const size = boxSize(environment.observationSpaces[agent]);
      for (const index of indices) {
        if (Number.isInteger(index) && index >= 0 && index < size) continue;
        fail(`common feature ${index} of agent ${agent} is outside its ${size} observations`);
      }
    });
  }),

  law("rewrites its arrays and never replaces them", (fail, make) => {
    const environment = make();
    const { acting, rewards, terminated, truncated } = environment;
    const kept = { acting, rewards, terminated, truncated };
    playRandomly(environment, 1, () => {
      for (const [name, array] of Object.entries(kept)) {
        if (environment[name as keyof typeof kept] !== array) fail(`${name} is another array than before`);
      }
    });
  }),

  law("starts clean: somebody acts, nothing is earned, nothing has ended", (fail, make) => {
    const environment = make();
    for (const seed of SEEDS) {
      playRandomly(environment, seed + 77);
      environment.reset(seed);
      if (isOver(environment)) fail("nobody acts after reset");
      if (environment.rewards.some((r) => r !== 0)) fail(`rewards after reset are [${environment.rewards}]`);
      if (environment.terminated.some(Boolean) || environment.truncated.some(Boolean))
        fail("an agent has ended at reset");
    }
  }),

  law("observes within its spaces, and writes nowhere else", (fail, make) => {
    const environment = make();
    for (const seed of SEEDS) {
      playRandomly(environment, seed, () => {
        environment.agents.forEach((name, agent) => {
          const space = environment.observationSpaces[agent];
          const size = boxSize(space);
          const out = new Float32Array(size + 6).fill(MARK);
          environment.observe(agent, out, 3);
          if (!contains(space, out, 3)) fail(`${name} sees [${out.subarray(3, 3 + size)}], outside its space`);
          if ([0, 1, 2].some((i) => out[i] !== MARK || out[size + 3 + i] !== MARK)) {
            fail(`observing ${name} wrote outside its ${size} numbers`);
          }
          const again = new Float32Array(size);
          environment.observe(agent, again, 0);
          for (let i = 0; i < size; i++) {
            if (!is(again[i], out[i + 3])) fail(`observing ${name} twice gave two answers`);
          }
        });
      });
    }
  }),

  law(OFFERS, (fail, make) => {
    const environment = make();
    for (const seed of SEEDS) {
      playRandomly(environment, seed, () => {
        environment.agents.forEach((name, agent) => {
          const acts = environment.acting[agent];
          const width = maskWidth(environment.actionSpaces[agent]);
          const mask = new Uint8Array(width + 4).fill(9);
          const count = environment.legal(agent, mask, 2);
          const own = mask.subarray(2, 2 + width);
          if ([0, 1, width + 2, width + 3].some((i) => mask[i] !== 9)) {
            fail(`the mask of ${name} was written outside its ${width} entries`);
          }
          if (own.some((bit) => bit > 1)) fail(`the mask of ${name} has entries other than 0 and 1`);
          if (width === 0 && count !== acts)
            fail(`without a mask, legal() says 1 for who acts and 0 for others; got ${count}`);
          if (width > 0 && own.reduce((sum, bit) => sum + bit, 0) !== count) {
            fail(`${name} was said to have ${count} legal actions, its mask [${own}] says otherwise`);
          }
          if (acts && count === 0) fail(`${name} must act but its mask is all zero`);
          if (!acts && count !== 0) fail(`${name} does not act but has ${count} legal actions`);
          if (acts && environment.actionSpaces[agent].kind === "multi-discrete") {
            if (choices(environment, agent).some(({ legal }) => legal.length === 0))
              fail(`a part of the mask of ${name} is all zero`);
          }
        });
      });
    }
  }),

  law("lists the candidates of who acts, and of nobody else, where candidates are its actions", (fail, make) => {
    const environment = make();
    for (const seed of SEEDS) {
      playRandomly(environment, seed, () => {
        environment.agents.forEach((name, agent) => {
          const space = environment.actionSpaces[agent];
          if (space.kind !== "candidates") return;
          const out = new Float32Array(space.max * space.features + 4).fill(MARK);
          const count = environment.candidates?.(agent, out, 2) ?? fail("candidates() is missing");
          const most = environment.acting[agent] ? space.max : 0;
          if (!(count >= Math.min(1, most) && count <= most)) {
            fail(`${name} has ${count} candidates where it must have between ${Math.min(1, most)} and ${most}`);
          }
          const mask = new Uint8Array(space.max);
          environment.legal(agent, mask, 0);
          if (mask.some((bit, a) => bit !== (a < count ? 1 : 0)))
            fail(`${name} has ${count} candidates, but its mask is [${mask}], not so many ones and then zeros`);
          const labels = environment.candidateLabels?.(agent);
          if (labels && labels.length !== count) fail(`${labels.length} labels [${labels}] name ${count} candidates`);
          const end = 2 + count * space.features;
          if (out.subarray(2, end).some((x) => !Number.isFinite(x) || x === MARK)) {
            fail(`the ${count} candidates of ${name} have the features [${out.subarray(2, end)}]`);
          }
          if (out.some((x, i) => (i < 2 || i >= end) && x !== MARK))
            fail(`the candidates of ${name} were written outside their rows`);
        });
      });
    }
  }),

  law(
    "lets exactly one agent act at a time if it is turn based, and no agent act or earn after its end",
    (fail, make) => {
      const environment = make();
      const { agents, acting, rewards, terminated, truncated } = environment;
      const N = agents.length;
      let [crowded, together] = [false, false];
      for (const seed of SEEDS) {
        const ended = new Uint8Array(N);
        playRandomly(environment, seed, () => {
          for (const [name, flags] of Object.entries({ acting, terminated, truncated })) {
            if (flags.some((flag) => flag !== 0 && flag !== 1)) fail(`${name} is [${flags}]; its entries are 0 or 1`);
          }
          const count = acting.reduce((sum, bit) => sum + bit, 0);
          if (environment.turnBased && count > 1) fail(`${count} agents act at once`);
          if (count > 1) together = true;
          let live = 0;
          agents.forEach((name, agent) => {
            const over = terminated[agent] || truncated[agent];
            if (acting[agent] && over) fail(`${name} acts after its end`);
            if (ended[agent] && !over) fail(`${name} had ended and lives again`);
            if (ended[agent] && rewards[agent] !== 0) fail(`${name} has ended, and yet earns ${rewards[agent]}`);
            if (over) ended[agent] = 1;
            else live++;
          });
          if (live > 1) crowded = true;
        });
        const unended = ended.indexOf(0);
        if (isOver(environment) && unended >= 0) {
          fail(`the episode is over, but ${agents[unended]} is neither terminated nor truncated`);
        }
      }
      if (!environment.turnBased && crowded && !together)
        fail("no two agents ever act at once, so that it is turn based; turnBased says it is not");
    },
  ),

  law("ends, with returns inside the declared range", (fail, make) => {
    const environment = make();
    for (const seed of SEEDS) {
      const returns = new Float64Array(environment.agents.length);
      playRandomly(environment, seed, undefined, (actions) => {
        advance(environment, actions);
        environment.rewards.forEach((reward, agent) => {
          if (!Number.isFinite(reward)) fail(`a reward is ${reward}`);
          returns[agent] += reward;
        });
      });
      if (!isOver(environment)) fail(`seed ${seed} has not ended after ${LIMIT} ticks`);
      const range = environment.returnRange;
      if (!range) continue;
      for (const total of returns) {
        if (!(total >= range[0] - 1e-9 && total <= range[1] + 1e-9)) fail(`a return is ${total}, outside [${range}]`);
      }
    }
  }),

  law("is zero-sum if it says so", (fail, make) => {
    const environment = make();
    if (!environment.zeroSum) return;
    for (const seed of SEEDS) {
      let sum = 0;
      playRandomly(environment, seed, undefined, (actions) => {
        advance(environment, actions);
        for (const reward of environment.rewards) sum += reward;
      });
      if (Math.abs(sum) > 1e-9) fail(`the returns of seed ${seed} sum to ${sum}`);
    }
  }),

  law("plays the same episode for the same seed, on a fresh and on a used instance", (fail, make) => {
    const used = make();
    playRandomly(used, 99);
    SEEDS.forEach((seed, ticks) => {
      const fresh = transcript(make(), seed);
      const again = transcript(used, seed);
      const at = fresh.findIndex((x, i) => !is(x, again[i]));
      if (at >= 0 || fresh.length !== again.length) {
        fail(`seed ${seed} gave two episodes (they part at tick ${at} of ${fresh.length})`);
      }
      // The next seed finds the instance in the middle of an episode.
      walk(used, 99, ticks + 1);
    });
  }),

  law("has the chance that it declares, and starts by every bit of the seed", (fail, make) => {
    const { chance } = make();
    if (chance === undefined) return;
    if (chance === "none") {
      const other = [1, 2, 0x10000].find((seed) => part(make, 0, seed));
      if (other !== undefined) fail(`it declares no chance, and yet seeds 0 and ${other} give two episodes`);
      return;
    }
    const parting = LOW_SEEDS.filter((seed) => part(make, 0, seed)).length;
    if (parting === 0) fail(`it declares chance (${chance}), and yet seeds 0 to ${LOW_SEEDS.length} give one episode`);
    // Where there are but few ways to start, seeds may well share one.
    if (parting < LOW_SEEDS.length || HIGH_SEEDS.some((seed) => part(make, 0, seed))) return;
    fail("seeds of the same lower 16 bits all give one episode; each of the 32 bits must count");
  }),

  law("two instances do not disturb each other", (fail, make) => {
    const alone = transcript(make(), 5);
    const environment = make();
    const neighbour = make();
    neighbour.reset(6);
    const choose = stream(6, "neighbour");
    const together = transcript(environment, 5, () => {
      if (isOver(neighbour)) neighbour.reset(7);
      neighbour.step(randomActions(neighbour, choose));
    });
    if (differ(alone, together)) fail("an instance played differently while another one was running");
  }),

  law("refuses to step before reset and after the end", (fail, make) => {
    const environment = make();
    const idle = new Float32Array(environment.agents.length * slotWidth(environment));
    if (!throwsCode(() => environment.step(idle), "out-of-order")) fail("step before reset must throw out-of-order");
    playRandomly(environment, 1);
    if (!isOver(environment)) return;
    if (!throwsCode(() => environment.step(idle), "out-of-order")) fail("step after the end must throw out-of-order");
  }),

  law("refuses illegal actions and stays as it was", (fail, make) => {
    const environment = make();
    const W = slotWidth(environment);
    const choose = stream(3, "others");
    const tempted = transcript(environment, 3, () => {
      environment.acting.forEach((acts, agent) => {
        if (!acts) return;
        const actions = randomActions(environment, choose);
        choices(environment, agent).forEach(({ legal, n }, part) => {
          const good = actions[agent * W + part];
          const masked = Array.from({ length: n }, (_, a) => a).find((a) => legal.length > 0 && !legal.includes(a));
          const { NaN: nan, POSITIVE_INFINITY, NEGATIVE_INFINITY } = Number;
          const wrong = n > 0 ? [nan, -1, n, 0.5] : [nan, POSITIVE_INFINITY, NEGATIVE_INFINITY];
          for (const bad of masked === undefined ? wrong : [...wrong, masked]) {
            actions[agent * W + part] = bad;
            if (throwsCode(() => environment.step(actions), "illegal-action")) continue;
            fail(`action ${bad} of ${environment.agents[agent]} must throw illegal-action`);
          }
          actions[agent * W + part] = good;
        });
      });
    });
    if (differ(tempted, transcript(make(), 3))) fail("an illegal action changed the state");
  }),

  law("ignores the slots of agents that do not act", (fail, make) => {
    const environment = make();
    const W = slotWidth(environment);
    const noisy = transcript(environment, 5, undefined, (actions) => {
      environment.actionSpaces.forEach((space, agent) => {
        const used = environment.acting[agent] ? actionWidth(space) : 0;
        actions.fill(Number.NaN, agent * W + used, (agent + 1) * W);
      });
      environment.step(actions);
    });
    if (differ(noisy, transcript(make(), 5))) fail("what stood in an unused slot changed the episode");
  }),

  law("keeps no array that it is given, and writes to none but those it is to fill", (fail, make) => {
    const environment = make();
    const lent = environment.agents.map((_, agent) => ({
      observation: new Float32Array(boxSize(environment.observationSpaces[agent])).fill(MARK),
      mask: new Uint8Array(maskWidth(environment.actionSpaces[agent])).fill(9),
    }));
    let played: Float32Array = new Float32Array();
    const careless = transcript(
      environment,
      5,
      () => {
        if (played.some((x) => !Number.isNaN(x))) fail("the actions handed to step() were written to after the call");
        lent.forEach(({ observation, mask }, agent) => {
          const touched = observation.some((x) => x !== MARK) || mask.some((bit) => bit !== 9);
          if (touched) fail("an array handed to observe() or legal() was written to after the call");
          environment.observe(agent, observation, 0);
          environment.legal(agent, mask, 0);
          observation.fill(MARK);
          mask.fill(9);
        });
      },
      (actions) => {
        const given = actions.slice();
        advance(environment, actions);
        if (actions.some((x, i) => !is(x, given[i]))) fail("step() wrote to the actions");
        actions.fill(Number.NaN);
        played = actions;
      },
    );
    if (differ(careless, transcript(make(), 5)))
      fail("an array that was overwritten after the call changed the episode");
  }),

  law("is moved by actions alone: looking changes nothing", (fail, make) => {
    const watched = make();
    const moves: Float32Array[] = [];
    const look = () => {
      watched.render();
      watched.svg?.();
      if (watched.snapshotBytes > 0) watched.snapshot(new Uint8Array(watched.snapshotBytes), 0);
    };
    const seen = transcript(watched, 5, look, (actions) => {
      moves.push(actions.slice());
      advance(watched, actions);
    });
    if (differ(seen, transcript(make(), 5))) fail("render(), svg() or snapshot() changed the episode");
    const unwatched = make();
    unwatched.reset(5);
    for (const actions of moves) unwatched.step(actions);
    if (!is(view(unwatched), view(watched))) fail("the same actions led elsewhere when nobody looked in between");
  }),

  law("continues from a snapshot exactly, as often as one likes", (fail, make) => {
    const environment = make();
    const size = environment.snapshotBytes;
    if (size === 0) return;
    // One byte off, so that typed arrays over the caller's buffer do not fit.
    const buffer = new Uint8Array(size + 9).subarray(1);
    for (const ticks of [0, 3, 10, LIMIT]) {
      walk(environment, 4, ticks);
      buffer.fill(7);
      environment.snapshot(buffer, 4);
      if ([0, 1, 2, 3].some((i) => buffer[i] !== 7 || buffer[size + 4 + i] !== 7))
        fail(`a snapshot wrote outside its ${size} bytes`);
      const twin = new Uint8Array(size).fill(8);
      environment.snapshot(twin, 0);
      const unwritten = twin.findIndex((byte, i) => byte !== buffer[4 + i]);
      if (unwritten >= 0)
        fail(`two snapshots of one state differ: byte ${unwritten} of ${size} is not written, or not always alike`);
      const kept = buffer.slice();
      const first = rest(environment);
      environment.restore(buffer, 4);
      if (differ(first, rest(environment))) fail("the second continuation differs from the first");
      if (buffer.some((byte, i) => byte !== kept[i])) fail("playing on changed a snapshot that was handed out or in");

      const other = make();
      other.restore(kept, 4);
      if (differ(first, rest(other)))
        fail("a fresh instance continues differently from the one that made the snapshot");

      walk(environment, 13, 2);
      environment.restore(buffer, 4);
      buffer.fill(9);
      if (differ(first, rest(environment)))
        fail("it continues differently from the middle of another episode, or kept the buffer");
    }
  }),

  law("draws its chance from the stream given at restore", (fail, make) => {
    const size = make().snapshotBytes;
    if (size === 0) return;
    const start = (seed: number) => {
      const environment = make();
      environment.reset(seed);
      return environment;
    };
    const snapshotOf = (environment: Environment) => {
      const snapshot = new Uint8Array(size);
      environment.snapshot(snapshot, 0);
      return snapshot;
    };
    const continued = (snapshot: Uint8Array, random?: Stream) => {
      const environment = make();
      environment.restore(snapshot.slice(), 0, random);
      return environment;
    };

    const origin = start(8);
    const now = view(origin);
    const snapshot = snapshotOf(origin);
    const own = rest(origin);
    if (!is(now, view(continued(snapshot, stream(21)))))
      fail("a restore with a stream gave another state than the snapshot's");
    const given = rest(continued(snapshot, stream(21)));
    if (differ(given, rest(continued(snapshot, stream(21))))) fail("two restores with equal streams gave two futures");

    const onward = continued(snapshot, stream(21));
    const again = snapshotOf(onward);
    if (differ(rest(onward), rest(continued(again))))
      fail("a snapshot taken after a restore lacks the stream that was given");

    const fresh = rest(start(8));
    const lent = stream(21);
    const words = lent.exportState();
    const reused = continued(snapshot, lent);
    reused.reset(8);
    if (differ(fresh, rest(reused)))
      fail("after a restore with a stream, reset starts another episode than its seed's");
    if (lent.exportState().some((word, i) => word !== words[i]))
      fail("reset went on with the stream that was lent for an earlier episode");

    /** Whether one of these streams leads elsewhere than the snapshot's own, from the start of this seed's episode. */
    const heeds = (seed: number, streams = 8) => {
      const begun = start(seed);
      const kept = snapshotOf(begun);
      const future = rest(begun);
      return Array.from({ length: streams }, (_, k) => k).some((k) =>
        differ(future, rest(continued(kept, stream(22, k)))),
      );
    };
    const { chance } = origin;
    if (chance === "none" || chance === "reset") {
      if (heeds(8, 2)) fail(`it declares chance "${chance}", and yet the stream given at restore changes what follows`);
      return;
    }
    // Without a word about it, seeds that part from one and the same start show that steps draw chance.
    const chancy =
      chance === "steps" ||
      Array.from({ length: 8 }, (_, seed) => seed).some((seed) => {
        const environment = start(seed);
        return is(now, view(environment)) && differ(own, rest(environment));
      });
    // An episode may end before anything is drawn.
    if (!chancy || Array.from({ length: 8 }, (_, k) => 8 + k).some((seed) => heeds(seed))) return;
    fail("steps draw chance, but no stream given at restore makes a difference");
  }),

  law("renders as text, and draws itself as one SVG document where it is drawn", (fail, make) => {
    const environment = make();
    const render = () => {
      const text = environment.render();
      if (typeof text !== "string" || text.length === 0) fail("render() must give a non-empty string");
      const picture = environment.svg?.();
      if (picture === undefined) return;
      if (!/^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"[\s\S]*<\/svg>\n?$/.test(picture))
        fail(`svg() must be one SVG document with its namespace, got ${picture.slice(0, 60)}`);
      const flaw = flawOf(picture);
      if (flaw) fail(`svg() is not well formed: ${flaw}`);
      if (/NaN|undefined|Infinity/.test(picture)) fail("svg() draws something at NaN, undefined or Infinity");
    };
    environment.reset(0);
    render();
    playRandomly(environment, 0);
    render();
  }),
];

/**
 * What the agent may put into each number of its action slot: `legal` lists the integers, out of 0 … n − 1; n is 0 where any
 * real will do.
 */
function choices(environment: Environment, agent: number): { legal: number[]; n: number }[] {
  const space = environment.actionSpaces[agent];
  if (space.kind === "box") return Array.from({ length: boxSize(space) }, () => ({ legal: [], n: 0 }));
  if (space.kind === "candidates") {
    const count = environment.candidates?.(agent, new Float32Array(space.max * space.features), 0) ?? 0;
    return [{ legal: Array.from({ length: count }, (_, a) => a), n: space.max }];
  }
  const mask = new Uint8Array(maskWidth(space));
  environment.legal(agent, mask, 0);
  let from = 0;
  return (space.kind === "discrete" ? [space.n] : space.nvec).map((n) => {
    const legal: number[] = [];
    for (let a = 0; a < n; a++) if (mask[from + a]) legal.push(a);
    from += n;
    return { legal, n };
  });
}

/** One random legal action per acting agent. @returns [N × W] */
export function randomActions(environment: Environment, choose: Stream): Float32Array {
  const W = slotWidth(environment);
  const actions = new Float32Array(environment.agents.length * W);
  environment.actionSpaces.forEach((space, agent) => {
    if (!environment.acting[agent]) return;
    choices(environment, agent).forEach(({ legal }, part) => {
      let action = legal.length > 0 ? legal[choose.below(legal.length)] : 0;
      if (space.kind === "box") {
        const low = typeof space.low === "number" ? space.low : space.low[part];
        const high = typeof space.high === "number" ? space.high : space.high[part];
        action = low + (high - low) * choose.uniform();
      }
      actions[agent * W + part] = action;
    });
  });
  return actions;
}

/** Takes a step of what is offered. @throws law-broken, the law about what is offered, if it is refused for being illegal */
function advance(environment: Environment, actions: Float32Array): void {
  try {
    environment.step(actions);
  } catch (error) {
    if ((error as { code?: unknown }).code !== "illegal-action") throw error;
    const empty = environment.agents.find(
      (_, agent) =>
        environment.acting[agent] && choices(environment, agent).some(({ legal, n }) => n > 0 && legal.length === 0),
    );
    if (empty !== undefined) broken(OFFERS, `${empty} must act, and nothing is legal for it`, error);
    broken(OFFERS, `step() refused actions that are offered as legal: ${(error as Error).message}`, error);
  }
}

/** Starts an episode and takes up to `ticks` steps of random legal actions. */
function walk(environment: Environment, seed: number, ticks: number): void {
  const choose = stream(seed, "walk");
  environment.reset(seed);
  for (let t = 0; t < ticks && !isOver(environment); t++) advance(environment, randomActions(environment, choose));
}

/** Plays one episode of random legal actions; `look` is called after the reset and after every `step`. */
function playRandomly(
  environment: Environment,
  seed: number,
  look: () => void = () => {},
  step: (actions: Float32Array) => void = (actions) => advance(environment, actions),
  limit = LIMIT,
): void {
  const choose = stream(seed, "random play");
  environment.reset(seed);
  look();
  for (let t = 0; t < limit && !isOver(environment); t++) {
    step(randomActions(environment, choose));
    look();
  }
}

/** A digest of all that can be seen of the present moment: 53 bits of it, as worlds may show tens of thousands of numbers. */
function view(environment: Environment): number {
  const { acting, rewards, terminated, truncated } = environment;
  const digest = createDigest();
  digest.add(Float64Array.from([...acting, ...rewards, ...terminated, ...truncated]));
  environment.actionSpaces.forEach((space, agent) => {
    const observation = new Float32Array(boxSize(environment.observationSpaces[agent]));
    environment.observe(agent, observation, 0);
    // Words are read four bytes at a time.
    const mask = new Uint8Array(4 * Math.ceil(maskWidth(space) / 4));
    digest.add(Float64Array.of(environment.legal(agent, mask, 0)));
    digest.add(observation);
    digest.add(mask);
    if (space.kind !== "candidates") return;
    const features = new Float32Array(space.max * space.features);
    const count = environment.candidates?.(agent, features, 0) ?? 0;
    digest.add(Float64Array.of(count));
    digest.add(features.subarray(0, count * space.features));
  });
  return digest.value();
}

/** Two lanes of MurmurHash3 (Appleby) over the bits of what is added. */
function createDigest() {
  let [one, two] = [1, 2];
  return {
    /** @param array whose bytes are whole words */
    add({ buffer, byteOffset, byteLength }: ArrayBufferView) {
      const words = new Int32Array(buffer, byteOffset, byteLength / 4);
      let [a, b] = [one, two];
      for (let i = 0; i < words.length; i++) {
        let word = imul(words[i], 0xcc9e2d51);
        word = imul((word << 15) | (word >>> 17), 0x1b873593);
        a ^= word;
        a = (imul((a << 13) | (a >>> 19), 5) + 0xe6546b64) | 0;
        b ^= word;
        b = (imul((b << 17) | (b >>> 15), 9) + 0x9e3779b9) | 0;
      }
      [one, two] = [a, b];
    },
    value: () => (one >>> 0) * 0x200000 + (two >>> 11),
  };
}

/** What is seen in one episode of random play, a digest per tick. */
function transcript(
  environment: Environment,
  seed: number,
  look: () => void = () => {},
  step?: (actions: Float32Array) => void,
): number[] {
  const seen: number[] = [];
  const record = () => {
    seen.push(view(environment));
    look();
  };
  playRandomly(environment, seed, record, step, COMPARED);
  return seen;
}

/** Plays on from here at random, always with the same choices. @returns what is seen from now on, a digest per tick */
function rest(environment: Environment): number[] {
  const choose = stream(17, "rest");
  const seen = [view(environment)];
  for (let t = 0; t < COMPARED && !isOver(environment); t++) {
    advance(environment, randomActions(environment, choose));
    seen.push(view(environment));
  }
  return seen;
}

/** Whether two seeds give two episodes where the choices are the same. */
function part(make: MakeEnvironment, one: number, two: number): boolean {
  const pair = [one, two].map((seed) => {
    const environment = make();
    environment.reset(seed);
    return { environment, choose: stream(17, "part") };
  });
  for (let t = 0; t <= COMPARED; t++) {
    const [a, b] = pair.map(({ environment }) => view(environment));
    if (!is(a, b)) return true;
    if (isOver(pair[0].environment)) return false;
    for (const { environment, choose } of pair) advance(environment, randomActions(environment, choose));
  }
  return false;
}

const differ = (a: readonly number[], b: readonly number[]) => a.length !== b.length || a.some((x, i) => !is(x, b[i]));

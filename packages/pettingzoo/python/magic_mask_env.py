"""PettingZoo, Gymnasium and RLCard environments for @magic-mask/pettingzoo, and the way back.

Run as a program, this file holds copies of one environment and answers frames on standard input and output:
`@magic-mask/pettingzoo` starts it. Imported, it shows the worlds of a JavaScript package as PettingZoo environments:

    import magic_mask_env
    env = magic_mask_env.env("connect_four_v0")
    env = magic_mask_env.parallel_env("planted_v0", {"ticks": 12})

It needs Python 3.9, numpy and the environment's own library.

A frame is the length of what follows (uint32, little endian), a letter and a payload. The client asks
  O open    JSON: what to open, and how many copies            -> J with what is fixed about the world
  R reset   uint32 copy, uint32 seed                           -> D with a record of the copy
  S step    float32 actions [copies, agents, width],           -> D with a record of each stepped copy, in order
            uint8 [copies]: 1 where the copy steps
  V view    uint32 copy, uint32 agent                          -> D with what the agent sees now
  T text    uint32 copy                                        -> J with the state as text
and anything may be answered by E, JSON with `code` and `message`, after which the server ends. Before the answer to O comes an
empty W for each copy that is built: it goes on. A record is
  uint8 flags [agents], float64 rewards [agents], then for each agent in order its mask (uint8, if flag MASK) and what it
  sees (if flag LOOK), in the type that its observation space names.
Numbers are in the machine's own byte order: both ends are on one machine.
"""

import functools
import importlib
import json
import os
import signal
import struct
import subprocess
import sys
import threading
import time
import traceback

PROTOCOL = 1
ACTS, TERMINATED, TRUNCATED, LOOK, MASK = 1, 2, 4, 8, 16
# What goes over the wire, by the name that an observation space gives it.
WIRE = {"u1": "uint8", "i1": "int8", "f4": "float32"}


class Refusal(Exception):
    """An error with a code of MagicMaskError."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


# Spaces


def finite(bound):
    """A bound as JSON has it: a number, or None where there is none."""
    bound = float(bound)
    return bound if abs(bound) != float("inf") and bound == bound else None


def bounds(values):
    import numpy as np

    values = np.asarray(values)
    if values.size > 0 and (values == values.flat[0]).all():
        return finite(values.flat[0])
    return [finite(value) for value in values.flat]


class View:
    """How what an agent sees becomes bytes: boxes flat in C order, choices one-hot as in `gymnasium.spaces.flatten`."""

    def __init__(self, space, who):
        import numpy as np

        self.who = who
        self.key = None
        if hasattr(space, "spaces") and isinstance(space.spaces, dict) and "observation" in space.spaces:
            self.key = "observation"
            space = space.spaces["observation"]
        kind = type(space).__name__
        self.starts = self.counts = None
        if kind == "Box":
            self.shape = list(space.shape)
            low, high = bounds(space.low), bounds(space.high)
            wire = {"uint8": "u1", "bool": "u1", "int8": "i1"}.get(space.dtype.name, "f4")
        elif kind in ("Discrete", "MultiDiscrete"):
            self.counts = np.atleast_1d(space.n if kind == "Discrete" else space.nvec).ravel().astype(np.int64)
            self.starts = np.broadcast_to(np.ravel(getattr(space, "start", 0)), self.counts.shape).astype(np.int64)
            self.offsets = np.concatenate([[0], np.cumsum(self.counts)[:-1]])
            self.shape, low, high, wire = [int(self.counts.sum())], 0, 1, "u1"
        elif kind == "MultiBinary":
            self.shape, low, high, wire = [int(np.prod(space.shape))], 0, 1, "u1"
        else:
            raise Refusal("unsupported", f"{who} sees a {kind} space; Box, Discrete, MultiDiscrete, MultiBinary and "
                          "Dict with the keys observation and action_mask can be shown")
        self.size = int(np.prod(self.shape))
        self.dtype = np.dtype(WIRE[wire])
        self.spec = {"shape": self.shape, "low": low, "high": high, "dtype": wire}
        self.blank = bytes(self.size * self.dtype.itemsize)

    def encode(self, seen):
        import numpy as np

        if isinstance(seen, dict):
            seen = seen[self.key or "observation"]
        if self.counts is not None:
            hot = np.zeros(self.size, self.dtype)
            hot[self.offsets + np.ravel(seen).astype(np.int64) - self.starts] = 1
            return hot.tobytes()
        seen = np.asarray(seen, self.dtype)
        if seen.size != self.size:
            raise Refusal("shape-mismatch", f"{self.who} must see {self.size} numbers, got {seen.size}")
        if seen.dtype == np.float32 and not np.isfinite(seen).all():
            at = int(np.flatnonzero(~np.isfinite(seen))[0])
            raise Refusal("not-finite", f"{self.who} sees {seen.ravel()[at]} as number {at} of {self.size}")
        return seen.tobytes()


class Hand:
    """How an agent's slot, float32 [width], becomes an action."""

    def __init__(self, space, who):
        import numpy as np

        self.who = who
        kind = type(space).__name__
        self.kind, self.dtype, self.shape = kind, getattr(space, "dtype", None), space.shape
        self.mask_width = 0
        if kind == "Discrete":
            self.start, self.mask_width, self.width = int(space.start), int(space.n), 1
            self.spec = {"kind": "discrete", "n": int(space.n)}
        elif kind in ("MultiDiscrete", "MultiBinary"):
            counts = np.ravel(space.nvec) if kind == "MultiDiscrete" else np.full(int(np.prod(space.shape)), 2)
            self.start = np.broadcast_to(np.ravel(getattr(space, "start", 0)), counts.shape)
            self.mask_width, self.width = int(counts.sum()), len(counts)
            self.spec = {"kind": "multi-discrete", "nvec": [int(n) for n in counts]}
        elif kind == "Box":
            self.width = int(np.prod(space.shape))
            self.spec = {"kind": "box", "shape": list(space.shape), "low": bounds(space.low), "high": bounds(space.high)}
        else:
            raise Refusal("unsupported", f"{who} acts in a {kind} space; Discrete, MultiDiscrete, MultiBinary and Box "
                          "can be played")

    def decode(self, slot):
        import numpy as np

        if self.kind == "Discrete":
            return int(slot[0]) + self.start
        if self.kind == "Box":
            whole = np.issubdtype(self.dtype, np.integer)
            return (np.rint(slot[: self.width]) if whole else slot[: self.width]).astype(self.dtype).reshape(self.shape)
        return (slot[: self.width].astype(np.int64) + self.start).astype(self.dtype).reshape(self.shape)

    def mask(self, seen, info):
        """The mask as bytes, from where the conventions put it, or None where all is legal."""
        import numpy as np

        mask = seen.get("action_mask") if isinstance(seen, dict) else None
        if mask is None and isinstance(info, dict):
            mask = info.get("action_mask")
        if mask is None or self.mask_width == 0:
            return None
        if isinstance(mask, (tuple, list)) and len(mask) and np.ndim(mask[0]):
            mask = np.concatenate([np.ravel(part) for part in mask])
        mask = np.ravel(mask) != 0
        if mask.size != self.mask_width:
            raise Refusal("shape-mismatch", f"the mask of {self.who} must have {self.mask_width} entries, got {mask.size}")
        return mask.astype(np.uint8).tobytes()


# Worlds: what a copy does, whatever library it is of


class World:
    """A copy of an environment. A kind of world fills the arrays below; `record` turns them into bytes."""

    turn_based = False
    ansi = False

    def __init__(self, agents, observation_spaces, action_spaces):
        import numpy as np

        self.agents = [str(agent) for agent in agents]
        N = len(self.agents)
        self.views = [View(space, who) for space, who in zip(observation_spaces, self.agents)]
        self.hands = [Hand(space, who) for space, who in zip(action_spaces, self.agents)]
        self.acting, self.terminated, self.truncated = [False] * N, [False] * N, [False] * N
        self.rewards = np.zeros(N)
        # What is sent of this tick, and what each agent saw last.
        self.masks, self.looks = [None] * N, [None] * N
        self.last = [view.blank for view in self.views]

    def spec(self):
        return {
            "protocol": PROTOCOL,
            "id": self.name(),
            "agents": self.agents,
            "turnBased": self.turn_based,
            "observationSpaces": [view.spec for view in self.views],
            "actionSpaces": [hand.spec for hand in self.hands],
            "ansi": self.ansi,
        }

    def clear(self):
        for i in range(len(self.agents)):
            self.terminated[i] = self.truncated[i] = False
            self.last[i] = self.views[i].blank
        self.begin_tick()

    def pay(self, i, reward):
        try:
            self.rewards[i] = float("nan") if reward is None else reward
        except (TypeError, ValueError):
            self.rewards[i] = float("nan")
        if not abs(self.rewards[i]) < float("inf"):
            raise Refusal("not-finite", f"the reward of {self.agents[i]} must be a finite number, got {reward!r}")

    def begin_tick(self):
        for i in range(len(self.agents)):
            self.acting[i] = False
            self.masks[i] = self.looks[i] = None
        self.rewards[:] = 0

    def see(self, i, seen, info=None):
        """Agent `i` acts next, or has just ended: what it sees is sent along."""
        self.looks[i] = self.last[i] = self.views[i].encode(seen)
        if self.acting[i]:
            self.masks[i] = self.hands[i].mask(seen, info)

    def record(self):
        parts = [b"", self.rewards.tobytes()]
        flags = bytearray(len(self.agents))
        for i, look in enumerate(self.looks):
            flags[i] = ACTS * self.acting[i] | TERMINATED * self.terminated[i] | TRUNCATED * self.truncated[i]
            if self.masks[i] is not None:
                flags[i] |= MASK
                parts.append(self.masks[i])
            if look is not None:
                flags[i] |= LOOK
                parts.append(look)
        parts[0] = bytes(flags)
        return b"".join(parts)

    def view(self, i):
        return self.last[i]

    def text(self):
        return str(self.env.render())

    def close(self):
        self.env.close()


def versioned(name):
    """An id that ends in a version with an underscore: CartPole-v1 -> CartPole_v1, leduc-holdem -> leduc-holdem_v0."""
    head, dash, version = name.rpartition("-v")
    if dash and version.isdigit():
        return f"{head}_v{version}"
    head, underscore, version = name.rpartition("_v")
    return name if underscore and version.isdigit() else f"{name}_v0"


def told(answers, name, what):
    """What an environment says of an agent that it must say something of."""
    if name in answers:
        return answers[name]
    raise Refusal("shape-mismatch", f"there is no {what} of {name}, only of {', '.join(map(str, answers)) or 'nobody'}")


class PettingZooWorld(World):
    def __init__(self, env, module):
        names = getattr(env, "possible_agents", None)
        if not names:
            raise Refusal("unsupported", f"{module} has no possible_agents, so it is not known who may play")
        self.env = env
        self.module = module
        self.names = list(names)
        self.index = {name: i for i, name in enumerate(self.names)}
        self.ansi = getattr(env, "render_mode", None) == "ansi"
        super().__init__(names, [env.observation_space(a) for a in names], [env.action_space(a) for a in names])

    def name(self):
        return versioned(str((self.env.metadata or {}).get("name", self.module.rpartition(".")[2])))

    def end_the_rest(self):
        """All have left: whoever left without a word has ended, too."""
        for i in range(len(self.names)):
            if not (self.terminated[i] or self.truncated[i]):
                self.terminated[i] = True
                self.looks[i] = self.last[i]


class Parallel(PettingZooWorld):
    """PettingZoo's parallel shape: all live agents act at once; agents may leave, and join later."""

    def reset(self, seed):
        self.clear()
        observations, infos = self.env.reset(seed=seed)
        self.publish(observations, infos)

    def step(self, slots):
        chosen = {self.names[i]: self.hands[i].decode(slots[i]) for i in range(len(self.names)) if self.acting[i]}
        self.begin_tick()
        observations, rewards, terminations, truncations, infos = self.env.step(chosen)
        for name in chosen:
            i = self.index[name]
            self.pay(i, told(rewards, name, "reward"))
            # Whoever is not among the agents any more may have left without a word.
            stays = name in self.env.agents
            self.terminated[i] = bool(told(terminations, name, "termination") if stays else terminations.get(name))
            self.truncated[i] = bool(told(truncations, name, "truncation") if stays else truncations.get(name))
            if (self.terminated[i] or self.truncated[i]) and name in observations:
                self.see(i, observations[name])
        self.publish(observations, infos)

    def publish(self, observations, infos):
        for name in self.env.agents:
            i = self.index[name]
            if self.terminated[i] or self.truncated[i]:
                continue
            self.acting[i] = True
            self.see(i, told(observations, name, "observation"), infos.get(name))
        for i, name in enumerate(self.names):
            left = not self.acting[i] and self.last[i] is not self.views[i].blank
            if left and not (self.terminated[i] or self.truncated[i]):
                self.terminated[i] = True
                self.looks[i] = self.last[i]
        if not any(self.acting):
            self.end_the_rest()


class Aec(PettingZooWorld):
    """PettingZoo's AEC shape: one agent after the other. Dead steps are taken here while another agent lives."""

    turn_based = True

    def reset(self, seed):
        self.clear()
        self.env.reset(seed=seed)
        self.settle()

    def step(self, slots):
        i = self.index[self.env.agent_selection]
        self.begin_tick()
        live = [name for name in self.env.agents if not (self.env.terminations[name] or self.env.truncations[name])]
        self.env.step(self.hands[i].decode(slots[i]))
        for name in live:
            if name not in self.env.agents and name not in self.env.rewards:
                continue
            self.pay(self.index[name], told(self.env.rewards, name, "reward"))
        self.settle()

    def settle(self):
        env = self.env
        while True:
            lives = False
            for name in env.agents:
                i = self.index[name]
                ended = self.terminated[i] or self.truncated[i]
                self.terminated[i] = self.terminated[i] or bool(env.terminations[name])
                self.truncated[i] = self.truncated[i] or bool(env.truncations[name])
                if not (self.terminated[i] or self.truncated[i]):
                    lives = True
                elif not ended:
                    self.see(i, env.observe(name))
            if not lives:
                return self.end_the_rest()
            name = env.agent_selection
            if not (env.terminations[name] or env.truncations[name]):
                break
            env.step(None)
        i = self.index[name]
        self.acting[i] = True
        self.see(i, env.observe(name), env.infos.get(name))

    def view(self, i):
        if self.names[i] in self.env.agents:
            self.last[i] = self.views[i].encode(self.env.observe(self.names[i]))
        return self.last[i]


class Gymnasium(World):
    """Gymnasium's one agent."""

    def __init__(self, env, module):
        self.env = env
        self.module = module
        self.ansi = env.render_mode == "ansi"
        super().__init__(["agent_0"], [env.observation_space], [env.action_space])

    def name(self):
        return versioned(self.env.spec.id if self.env.spec else self.module)

    def reset(self, seed):
        self.clear()
        seen, info = self.env.reset(seed=seed)
        self.acting[0] = True
        self.see(0, seen, info)

    def step(self, slots):
        self.begin_tick()
        seen, reward, terminated, truncated, info = self.env.step(self.hands[0].decode(slots[0]))
        self.pay(0, reward)
        self.terminated[0], self.truncated[0] = bool(terminated), bool(truncated)
        self.acting[0] = not (terminated or truncated)
        self.see(0, seen, info)


class RLCard(World):
    """RLCard's games by their own API: legal actions become a mask, payoffs are the last step's rewards."""

    turn_based = True

    def __init__(self, env, module):
        from gymnasium.spaces import Box, Discrete

        self.env = env
        self.module = module
        shapes = [tuple(shape) for shape in env.state_shape]
        super().__init__(
            [f"player_{i}" for i in range(env.num_players)],
            [Box(-float("inf"), float("inf"), shape) for shape in shapes],
            [Discrete(env.num_actions)] * env.num_players,
        )

    def name(self):
        return versioned(self.module)

    def reset(self, seed):
        self.clear()
        self.env.seed(seed)
        self.turn(*self.env.reset())

    def step(self, slots):
        i = self.env.get_player_id()
        self.begin_tick()
        state, player = self.env.step(self.hands[i].decode(slots[i]))
        if not self.env.is_over():
            return self.turn(state, player)
        payoffs = self.env.get_payoffs()
        for i in range(len(self.agents)):
            self.pay(i, payoffs[i])
            self.terminated[i] = True
            self.see(i, self.env.get_state(i)["obs"])

    def turn(self, state, player):
        import numpy as np

        mask = np.zeros(self.env.num_actions, np.uint8)
        mask[list(state["legal_actions"])] = 1
        self.acting[player] = True
        self.see(player, state["obs"], {"action_mask": mask})

    def view(self, i):
        self.last[i] = self.views[i].encode(self.env.get_state(i)["obs"])
        return self.last[i]

    def close(self):
        pass


def found(module, package):
    """Imports a module, or says what to install."""
    try:
        return importlib.import_module(module)
    except ImportError as error:
        install = f'{sys.executable} -m pip install "{package}"'
        raise Refusal("unavailable", f"{module} cannot be imported ({error}); install it: {install}") from error


def package_of(module):
    """What to install for a module: pettingzoo.classic.go_v5 -> pettingzoo[classic]."""
    parts = module.split(".")
    return f"pettingzoo[{parts[1]}]" if parts[0] == "pettingzoo" and len(parts) > 2 else parts[0]


def open_worlds(kind, module, kwargs, copies, built):
    """Builds the copies; `built` is called after each."""
    sys.path.insert(0, os.getcwd())
    if kind in ("aec", "parallel"):
        source = found(module, package_of(module))
        entry = "env" if kind == "aec" else "parallel_env"
        make = getattr(source, entry, None)
        if make is None:
            raise Refusal("unsupported", f"{module} has no {entry}(), which kind {kind} needs")
        shape = Aec if kind == "aec" else Parallel
        build = lambda: shape(make(**kwargs), module)
    elif kind == "gymnasium":
        gymnasium = found("gymnasium", "gymnasium")
        if ":" in module:
            found(module.partition(":")[0], module.partition(":")[0].replace("_", "-"))

        def build():
            try:
                return Gymnasium(gymnasium.make(module, **kwargs), module)
            except (gymnasium.error.UnregisteredEnv, gymnasium.error.DependencyNotInstalled) as error:
                raise Refusal("unavailable", f"gymnasium cannot make {module}: {error}") from error
    elif kind == "rlcard":
        rlcard = found("rlcard", "rlcard")
        found("gymnasium", "gymnasium")
        build = lambda: RLCard(rlcard.make(module, config={"seed": 0, **kwargs}), module)
    else:
        raise Refusal("invalid-option", f"kind must be aec, parallel, gymnasium or rlcard, got {kind}")
    found("numpy", "numpy")
    try:
        worlds = []
        for _ in range(copies):
            worlds.append(build())
            built()
        return worlds
    except (TypeError, ValueError) as error:
        raise Refusal("invalid-option", f"{module} cannot be built with {json.dumps(kwargs)}: {error}") from error


# The server


def die_with_parent():
    """A hung environment must not outlive whoever started it; where it is not hung, the end of standard input ends it."""
    if sys.platform == "linux":
        try:
            import ctypes

            PR_SET_PDEATHSIG = 1
            ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
        except (OSError, AttributeError):
            pass
    parent = os.getppid()

    def watch():
        while os.getppid() == parent:
            time.sleep(1)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


def read_exactly(pipe, size):
    data = pipe.read(size)
    return data if data is not None and len(data) == size else None


def write_frame(pipe, letter, payload):
    pipe.write(struct.pack("<I", len(payload) + 1) + letter + payload)
    pipe.flush()


def read_frame(pipe):
    """A frame's letter and payload; None at the end of the pipe."""
    head = read_exactly(pipe, 4)
    body = head and read_exactly(pipe, struct.unpack("<I", head)[0])
    return (body[:1], memoryview(body)[1:]) if body else None


def answer(worlds, letter, payload, state):
    if letter == b"R":
        copy, seed = struct.unpack("=II", payload)
        worlds[copy].reset(seed)
        return b"D", worlds[copy].record()
    if letter == b"S":
        C, N, W = len(worlds), len(worlds[0].agents), state["width"]
        slots = state["numpy"].frombuffer(payload[: 4 * C * N * W], "float32").reshape(C, N, W)
        records = []
        for copy, steps in enumerate(payload[4 * C * N * W :]):
            if steps:
                worlds[copy].step(slots[copy])
                records.append(worlds[copy].record())
        return b"D", b"".join(records)
    if letter == b"V":
        copy, agent = struct.unpack("=II", payload)
        return b"D", worlds[copy].view(agent)
    if letter == b"T":
        (copy,) = struct.unpack("=I", payload)
        return b"J", json.dumps(worlds[copy].text()).encode()
    raise Refusal("corrupt-message", f"there is no request {letter!r}")


def raised(error):
    """What was raised, and in which line of which file."""
    file, line, function, _ = traceback.extract_tb(error.__traceback__)[-1]
    return f"it raised {type(error).__name__}: {error} (in {function}, {file}, line {line})"


def serve():
    """Answers frames until standard input ends."""
    requests = os.fdopen(os.dup(0), "rb")
    replies = os.fdopen(os.dup(1), "wb")
    # What the environment prints, from Python or from C, goes to standard error; what it reads is nothing.
    os.dup2(2, 1)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout = sys.stderr
    # To be stopped is for whoever started this, who may have something to save: Ctrl-C, `timeout` and batch systems signal the
    # whole group. The end of standard input ends this process.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    die_with_parent()
    worlds, state = [], {}
    opening = True
    try:
        while True:
            frame = read_frame(requests)
            if frame is None:
                break
            if opening:
                asked = json.loads(bytes(frame[1]))
                built = lambda: write_frame(replies, b"W", b"")
                worlds = open_worlds(asked["kind"], asked["module"], asked["kwargs"], asked["copies"], built)
                state = {"width": max(hand.width for hand in worlds[0].hands), "numpy": importlib.import_module("numpy")}
                opening = False
                write_frame(replies, b"J", json.dumps(worlds[0].spec()).encode())
            else:
                write_frame(replies, *answer(worlds, *frame, state))
        for world in worlds:
            world.close()
    except BrokenPipeError:
        pass
    except BaseException as error:
        traceback.print_exc()
        code = error.code if isinstance(error, Refusal) else "invalid-option" if opening else "worker-lost"
        message = str(error) if isinstance(error, Refusal) else raised(error)
        write_frame(replies, b"E", json.dumps({"code": code, "message": message}).encode())
        os._exit(1)


# The way back: worlds of a JavaScript package as PettingZoo environments


class Remote:
    """Copies of a JavaScript world in a Node process of its own; one copy here."""

    def __init__(self, world, options, module, command):
        import numpy as np

        self.np = np
        here = os.path.dirname(os.path.abspath(__file__))
        command = command or ["node", os.path.join(here, "..", "bin", "magic-mask-serve.mjs")]
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        asked = {"module": module, "export": f"environments.{world}", "options": options or {}, "copies": 1}
        self.spec = json.loads(bytes(self.ask(b"O", json.dumps(asked).encode())))
        if self.spec["protocol"] != PROTOCOL:
            raise RuntimeError(f"{command} speaks protocol {self.spec['protocol']}, this file {PROTOCOL}")
        self.agents = self.spec["agents"]
        N = len(self.agents)
        self.sizes = [int(np.prod(space["shape"])) for space in self.spec["observationSpaces"]]
        self.spaces = [space_of(space) for space in self.spec["actionSpaces"]]
        self.widths = [1 if a["kind"] == "discrete" else len(a["nvec"]) if a["kind"] == "multi-discrete"
                       else int(np.prod(a["shape"])) for a in self.spec["actionSpaces"]]
        self.mask_widths = [a.get("n", 0) + sum(a.get("nvec", ())) for a in self.spec["actionSpaces"]]
        self.slots = np.zeros((N, max(self.widths)), np.float32)
        self.rewards = np.zeros(N)
        self.flags = bytes(N)
        self.masks, self.looks = [None] * N, [None] * N

    def ask(self, letter, payload):
        try:
            write_frame(self.process.stdin, letter, payload)
            frame = read_frame(self.process.stdout)
        except BrokenPipeError:
            frame = None
        if frame is None:
            raise RuntimeError(f"the world's process ended with exit code {self.process.wait()}; see standard error")
        if frame[0] == b"E":
            error = json.loads(bytes(frame[1]))
            raise RuntimeError(f"{error['code']}: {error['message']}")
        return frame[1]

    def reset(self, seed):
        self.read(self.ask(b"R", struct.pack("=II", 0, seed)))

    def step(self):
        self.read(self.ask(b"S", self.slots.tobytes() + b"\1"))

    def act(self, i, action):
        self.slots[i, : self.widths[i]] = self.np.ravel(action)

    def read(self, record):
        np = self.np
        N = len(self.agents)
        self.flags = bytes(record[:N])
        self.rewards[:] = np.frombuffer(record[N : 9 * N], np.float64)
        at = 9 * N
        for i in range(N):
            self.masks[i] = self.looks[i] = None
            if self.flags[i] & MASK:
                self.masks[i] = np.frombuffer(record[at : at + self.mask_widths[i]], np.int8).copy()
                at += self.mask_widths[i]
            if self.flags[i] & LOOK:
                self.looks[i] = self.shaped(i, record[at : at + 4 * self.sizes[i]])
                at += 4 * self.sizes[i]

    def shaped(self, i, data):
        return self.np.frombuffer(data, self.np.float32).reshape(self.spec["observationSpaces"][i]["shape"]).copy()

    def look(self, i):
        if self.looks[i] is None:
            self.looks[i] = self.shaped(i, self.ask(b"V", struct.pack("=II", 0, i)))
        return self.looks[i]

    def acts(self, i):
        return bool(self.flags[i] & ACTS)

    def observation(self, i, acts):
        """What agent `i` sees, with the mask beside it where actions are discrete: all zero where it is not its move."""
        width = self.mask_widths[i]
        if self.spec["actionSpaces"][i]["kind"] != "discrete":
            return self.look(i)
        mask = self.np.zeros(width, self.np.int8)
        if acts and self.acts(i):
            mask = self.np.ones(width, self.np.int8) if self.masks[i] is None else self.masks[i]
        return {"observation": self.look(i), "action_mask": mask}

    def info(self, i):
        """The mask of several choices at once, in the form that `MultiDiscrete.sample` takes."""
        if self.spec["actionSpaces"][i]["kind"] != "multi-discrete" or self.masks[i] is None:
            return {}
        ends = self.np.cumsum(self.spec["actionSpaces"][i]["nvec"])[:-1]
        return {"action_mask": tuple(self.np.split(self.masks[i], ends))}

    def observation_space(self, i):
        from gymnasium.spaces import Box, Dict

        space = box_of(self.spec["observationSpaces"][i])
        if self.spec["actionSpaces"][i]["kind"] != "discrete":
            return space
        mask = Box(0, 1, (self.mask_widths[i],), self.np.int8)
        return Dict({"observation": space, "action_mask": mask})

    def text(self):
        return json.loads(bytes(self.ask(b"T", struct.pack("=I", 0))))

    def close(self):
        if self.process.poll() is None:
            self.process.stdin.close()
            try:
                self.process.wait(2)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.process.stdout.close()


def box_of(space):
    import numpy as np
    from gymnasium.spaces import Box

    def filled(bound, missing):
        if not isinstance(bound, list):
            bound = [bound]
        values = np.array([missing if x is None else x for x in bound], np.float32)
        return np.broadcast_to(values, np.prod(space["shape"], dtype=int)).reshape(space["shape"])

    return Box(filled(space["low"], -np.inf), filled(space["high"], np.inf), dtype=np.float32)


def space_of(space):
    from gymnasium.spaces import Discrete, MultiDiscrete

    if space["kind"] == "discrete":
        return Discrete(space["n"])
    return MultiDiscrete(space["nvec"]) if space["kind"] == "multi-discrete" else box_of(space)


class Seeds:
    """Seeds of episodes: the one that is given, else the next of the sequence that the last one began."""

    def __init__(self):
        import numpy as np

        self.np = np
        self.random = np.random.default_rng(0)

    def next(self, seed):
        if seed is None:
            return int(self.random.integers(2**32))
        self.random = self.np.random.default_rng(seed)
        return seed % 2**32


DEFAULT_MODULE = "@magic-mask/environments"


@functools.lru_cache(maxsize=None)
def shapes():
    """PettingZoo's two shapes; made when asked for, as this file also serves where PettingZoo is not installed."""
    from pettingzoo import AECEnv, ParallelEnv

    class Base:
        def connect(self, world, options, module, command, render_mode):
            self.remote = remote = Remote(world, options, module, command)
            self.metadata = {
                "name": remote.spec["id"],
                "render_modes": ["ansi"],
                "is_parallelizable": not remote.spec["turnBased"],
            }
            self.render_mode = render_mode
            self.possible_agents = list(remote.agents)
            self.agents = []
            self.index = {name: i for i, name in enumerate(remote.agents)}
            self.observation_spaces = {name: remote.observation_space(i) for name, i in self.index.items()}
            self.action_spaces = {name: remote.spaces[i] for name, i in self.index.items()}
            self.seeds = Seeds()

        def observation_space(self, agent):
            return self.observation_spaces[agent]

        def action_space(self, agent):
            return self.action_spaces[agent]

        def flag(self, agent, bit):
            return bool(self.remote.flags[self.index[agent]] & bit)

        def render(self):
            return self.remote.text() if self.render_mode == "ansi" else None

        def close(self):
            self.remote.close()

        def __str__(self):
            return self.remote.spec["id"]

    class MagicMaskParallel(Base, ParallelEnv):
        def __init__(self, *args):
            self.connect(*args)
            if self.remote.spec["turnBased"]:
                self.close()
                raise ValueError(f"agents act in turns in {self}, not at once; use env()")

        def seen(self, agents):
            return {agent: self.remote.observation(self.index[agent], True) for agent in agents}

        def infos(self, agents):
            return {agent: self.remote.info(self.index[agent]) for agent in agents}

        def reset(self, seed=None, options=None):
            self.remote.reset(self.seeds.next(seed))
            self.agents = [agent for agent in self.possible_agents if self.flag(agent, ACTS)]
            return self.seen(self.agents), self.infos(self.agents)

        def step(self, actions):
            stepped = self.agents
            for agent in stepped:
                self.remote.act(self.index[agent], actions[agent])
            self.remote.step()
            self.agents = [agent for agent in stepped if self.flag(agent, ACTS)]
            return (
                self.seen(stepped),
                {agent: float(self.remote.rewards[self.index[agent]]) for agent in stepped},
                {agent: self.flag(agent, TERMINATED) for agent in stepped},
                {agent: self.flag(agent, TRUNCATED) for agent in stepped},
                self.infos(stepped),
            )

    class MagicMaskAec(Base, AECEnv):
        def __init__(self, *args):
            super().__init__()
            self.connect(*args)

        def reset(self, seed=None, options=None):
            self.remote.reset(self.seeds.next(seed))
            self.agents = list(self.possible_agents)
            self.rewards = dict.fromkeys(self.agents, 0.0)
            self._cumulative_rewards = dict.fromkeys(self.agents, 0.0)
            self.publish()
            self.agent_selection = self.first_from(0)

        def publish(self):
            self.terminations = {agent: self.flag(agent, TERMINATED) for agent in self.agents}
            self.truncations = {agent: self.flag(agent, TRUNCATED) for agent in self.agents}
            self.infos = {agent: self.remote.info(self.index[agent]) for agent in self.agents}

        def first_from(self, i):
            """The first agent from `i` on that acts in this tick."""
            for agent in self.possible_agents[i:]:
                if self.flag(agent, ACTS):
                    return agent
            return None

        def observe(self, agent):
            selected = agent == self.agent_selection
            return self.remote.observation(self.index[agent], selected and not self.terminations.get(agent, True))

        def step(self, action):
            agent = self.agent_selection
            if self.terminations[agent] or self.truncations[agent]:
                self._was_dead_step(action)
                return
            self._cumulative_rewards[agent] = 0.0
            self._clear_rewards()
            self.remote.act(self.index[agent], action)
            following = self.first_from(self.index[agent] + 1)
            if following is None:
                # The last one of this tick has chosen.
                self.remote.step()
                self.rewards = {name: float(self.remote.rewards[self.index[name]]) for name in self.agents}
                self.publish()
                following = self.first_from(0) or agent
            self.agent_selection = following
            self._accumulate_rewards()
            self._deads_step_first()

    return MagicMaskParallel, MagicMaskAec


def parallel_env(world, options=None, *, module=DEFAULT_MODULE, command=None, render_mode=None):
    """A simultaneous world as a PettingZoo `ParallelEnv`.

    world: its id among the `environments` that `module` exports, e.g. "planted_v0"
    options: of the world's factory
    module: resolved from the working directory's node_modules
    command: what serves it; by default `node` with this package's magic-mask-serve
    render_mode: "ansi" for text
    """
    return shapes()[0](world, options, module, command, render_mode)


def env(world, options=None, *, module=DEFAULT_MODULE, command=None, render_mode=None):
    """Any world as a PettingZoo `AECEnv`, with its usual wrappers: an illegal move ends the game and costs its mover 1."""
    from pettingzoo.utils import wrappers

    raw = shapes()[1](world, options, module, command, render_mode)
    if all(space["kind"] == "discrete" for space in raw.remote.spec["actionSpaces"]):
        raw = wrappers.TerminateIllegalWrapper(raw, illegal_reward=-1)
        raw = wrappers.AssertOutOfBoundsWrapper(raw)
    return wrappers.OrderEnforcingWrapper(raw)


if __name__ == "__main__":
    serve()

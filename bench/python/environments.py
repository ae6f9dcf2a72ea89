"""The originals of our worlds under random play, observations included: steps per CPU second."""

import os
import platform
import random
import time

os.environ.setdefault("PYGAME_HIDE_SUPPORT_PROMPT", "1")

from lines import serve  # noqa: E402


def aec(make):
    """Random legal moves through PettingZoo's AEC shape; a step is one agent's move."""
    env = make()
    env.reset(seed=1)

    def step():
        observation, _, termination, truncation, _ = env.last()
        if termination or truncation:
            env.reset()
            return step()
        legal = [a for a, bit in enumerate(observation["action_mask"]) if bit]
        env.step(random.choice(legal))

    return step


def parallel(make):
    """Random actions through PettingZoo's parallel shape; a step is one of all agents."""
    env = make()
    env.reset(seed=1)

    def step():
        if not env.agents:
            env.reset()
        env.step({agent: env.action_space(agent).sample() for agent in env.agents})

    return step


def gymnasium_env(make):
    env = make()
    env.reset(seed=1)

    def step():
        _, _, terminated, truncated, _ = env.step(env.action_space.sample())
        if terminated or truncated:
            env.reset()

    return step


def connect_four():
    from pettingzoo.classic import connect_four_v3

    return aec(connect_four_v3.env)


def tictactoe():
    from pettingzoo.classic import tictactoe_v3

    return aec(tictactoe_v3.env)


def cart_pole():
    import gymnasium

    return gymnasium_env(lambda: gymnasium.make("CartPole-v1"))


def pendulum():
    import gymnasium

    return gymnasium_env(lambda: gymnasium.make("Pendulum-v1"))


def doudizhu():
    """A step is one decision: the state as RLCard extracts it, and a random one of its legal actions."""
    import rlcard

    env = rlcard.make("doudizhu", config={"seed": 1})
    current = [env.reset()[0]]

    def step():
        if env.is_over():
            current[0] = env.reset()[0]
        current[0], _ = env.step(random.choice(list(current[0]["legal_actions"])))

    return step


def highway_fast():
    """Four controlled cars and twenty others, as highway_fast_v0 by default; a step is one decision of all."""
    import gymnasium
    import highway_env  # noqa: F401

    config = {
        "controlled_vehicles": 4,
        "action": {"type": "MultiAgentAction", "action_config": {"type": "DiscreteMetaAction"}},
        "observation": {"type": "MultiAgentObservation", "observation_config": {"type": "Kinematics"}},
    }
    return gymnasium_env(lambda: gymnasium.make("highway-fast-v0", config=config))


def pong_two():
    """A step is one frame."""
    import ale_py
    from pettingzoo.atari import pong_v3

    roms = os.path.join(os.path.dirname(ale_py.__file__), "roms")
    return parallel(lambda: pong_v3.parallel_env(obs_type="ram", auto_rom_install_path=roms))


def simple_spread():
    from mpe2 import simple_spread_v3

    return parallel(simple_spread_v3.parallel_env)


def simple_tag():
    from mpe2 import simple_tag_v3

    return parallel(simple_tag_v3.parallel_env)


ORIGINALS = {
    "connect_four_v0": connect_four,
    "tictactoe_v0": tictactoe,
    "cartpole_v1": cart_pole,
    "pendulum_v1": pendulum,
    "doudizhu_v0": doudizhu,
    "highway_fast_v0": highway_fast,
    "pong_v0": pong_two,
    "simple_spread_v0": simple_spread,
    "simple_tag_v0": simple_tag,
}


def start(_):
    steppers = {}
    missing = {}
    for world, make in ORIGINALS.items():
        try:
            steppers[world] = make()
        except Exception as error:  # whatever an original's packages have to say
            missing[world] = f"{type(error).__name__}: {error}"[:200]

    def answer(request):
        """Takes so many steps in one world."""
        step = steppers[request["world"]]
        begun = time.process_time()
        for _ in range(request["steps"]):
            step()
        return {"cpuMs": 1000 * (time.process_time() - begun)}

    return {"worlds": list(steppers), "left_out": missing, "python": platform.python_version()}, answer


serve(start)

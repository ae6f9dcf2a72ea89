"""Worlds that are odd, chatty or broken, for the tests of this package. They need gymnasium alone."""

import os
import time

import numpy as np
from gymnasium.spaces import Box, Dict, Discrete, MultiBinary, MultiDiscrete, Text

print("Hello from a library")
os.system("echo hello from the shell")


class Odd:
    """Three agents with unlike spaces: one leaves after two ticks, one comes after the first; four ticks in all."""

    metadata = {"name": "odd-v3"}
    render_mode = "ansi"
    possible_agents = ["stays", "leaves", "comes"]

    def __init__(self, fault=None):
        self.fault = fault
        self.agents = []
        self.observation_spaces = {
            "stays": Dict({"observation": Box(np.full((1, 2), -np.inf), np.array([[0.0, 1.0]]), dtype=np.float64), "action_mask": MultiBinary(3)}),
            "leaves": MultiDiscrete([2, 3], start=[1, 0]),
            "comes": Text(3) if fault == "space" else Box(0, 255, (2, 1), np.uint8),
        }
        self.action_spaces = {
            "stays": Discrete(3, start=5),
            "leaves": MultiBinary([2, 1]),
            "comes": Box(-1, 4, (2,), np.int32),
        }

    def observation_space(self, agent):
        return self.observation_spaces[agent]

    def action_space(self, agent):
        return self.action_spaces[agent]

    def seen(self):
        return {
            "stays": {
                "observation": np.array([[self.seed % 1000, np.nan if self.fault == "dazed" and self.tick else self.tick / 4]]),
                "action_mask": np.array([1, 0, 1], np.int8),
            },
            "leaves": np.array([1 + self.tick % 2, self.tick % 3]),
            "comes": np.array([[self.tick], [200]], np.uint8),
        }

    def reset(self, seed=None, options=None):
        self.seed, self.tick = seed, 0
        self.agents = ["stays", "leaves"]
        return {name: self.seen()[name] for name in self.agents}, {name: {} for name in self.agents}

    def step(self, actions):
        print("a step")
        os.write(1, b"a step from below\n")
        if self.fault == "raises":
            raise ValueError("no such luck")
        if self.fault == "hangs":
            time.sleep(1000)
        if self.fault == "exits":
            os._exit(7)
        self.tick += 1
        rewards = {name: float(np.sum(action)) for name, action in actions.items()}
        if self.fault == "unpaid":
            del rewards["leaves"]
        if self.fault == "none":
            rewards["leaves"] = None
        if self.fault == "nan":
            rewards["leaves"] = float("nan")
        acted = list(self.agents)
        terminations = {name: name == "leaves" and self.tick == 2 for name in acted}
        truncations = {name: self.tick == 4 for name in acted}
        if self.tick == 1:
            self.agents = [*self.agents, "comes"]
        self.agents = [n for n in self.agents if not (terminations.get(n) or truncations.get(n))]
        names = set(acted) | set(self.agents)
        if self.fault == "unseen":
            names.remove("stays")
        return {n: self.seen()[n] for n in names}, rewards, terminations, truncations, {n: {} for n in names}

    def render(self):
        return f"tick {self.tick}"

    def close(self):
        pass


def parallel_env(**kwargs):
    return Odd(**kwargs)

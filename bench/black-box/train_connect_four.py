"""Trains PettingZoo's connect_four_v3 with sb3-contrib's MaskablePPO and writes the policy as ONNX: masked logits and value.

The learner sits in either seat, against random play and a frozen copy of itself, by halves; the copy is renewed as it learns.

pip install sb3-contrib "pettingzoo[classic]" onnx; then: python train_connect_four.py connect_four.onnx
"""

import sys
import time

import gymnasium
import numpy
import torch
from pettingzoo.classic import connect_four_v3
from sb3_contrib import MaskablePPO
from stable_baselines3.common.callbacks import BaseCallback

SEED = 1
STEPS = 150_000
RENEW = 10_000


class Seat(gymnasium.Env):
    """One seat of the game; another policy moves in the other."""

    observation_space = gymnasium.spaces.Box(0, 1, (6, 7, 2), numpy.float32)
    action_space = gymnasium.spaces.Discrete(7)

    def __init__(self, seed):
        self.game = connect_four_v3.raw_env()
        self.random = numpy.random.default_rng(seed)
        self.rival = None

    def look(self):
        seen = self.game.observe(self.game.agent_selection)
        return seen["observation"].astype(numpy.float32), seen["action_mask"].astype(bool)

    def over(self):
        return any(self.game.terminations.values())

    def rival_moves(self):
        """Until it is the learner's turn."""
        while not self.over() and self.game.agent_selection != self.own:
            observation, mask = self.look()
            if self.opponent is None:
                action = self.random.choice(numpy.flatnonzero(mask))
            else:
                action, _ = self.opponent.predict(observation, action_masks=mask)
            self.game.step(int(action))

    def reset(self, seed=None, options=None):
        self.game.reset()
        self.own = self.game.agents[self.random.integers(2)]
        self.opponent = self.rival if self.random.random() < 0.5 else None
        self.rival_moves()
        return self.look()[0], {}

    def step(self, action):
        self.game.step(int(action))
        self.rival_moves()
        observation = self.game.observe(self.own)["observation"].astype(numpy.float32)
        return observation, float(self.game.rewards[self.own]), self.over(), False, {}

    def action_masks(self):
        return self.look()[1]


class Renew(BaseCallback):
    """Gives the rival a copy of the learner now and then."""

    def __init__(self, seat):
        super().__init__()
        self.seat = seat
        self.begun = time.time()

    def _on_step(self):
        if self.num_timesteps % RENEW == 0:
            self.model.save("/tmp/connect_four_rival")
            self.seat.rival = MaskablePPO.load("/tmp/connect_four_rival", device="cpu")
            print(self.num_timesteps, "steps", round(time.time() - self.begun), "s", flush=True)
        return True


class Policy(torch.nn.Module):
    """What the actor-critic computes from planes and a mask."""

    def __init__(self, policy):
        super().__init__()
        self.policy = policy

    def forward(self, obs, action_mask):
        actor, critic = self.policy.mlp_extractor(obs.flatten(1))
        logits = self.policy.action_net(actor)
        return torch.where(action_mask, logits, torch.tensor(-1e9)), self.policy.value_net(critic)


def wins(model, games):
    """Share of games won against random play, seats and moves drawn."""
    seat = Seat(SEED + 1)
    won = 0
    for _ in range(games):
        observation, _ = seat.reset()
        done, reward = seat.over(), 0
        while not done:
            action, _ = model.predict(observation, action_masks=seat.action_masks())
            observation, reward, done, _, _ = seat.step(action)
        won += reward > 0
    return won / games


def main(file):
    torch.set_num_threads(1)
    seat = Seat(SEED)
    model = MaskablePPO(
        "MlpPolicy",
        seat,
        n_steps=2048,
        batch_size=256,
        n_epochs=5,
        gamma=0.99,
        gae_lambda=0.9,
        ent_coef=0.02,
        learning_rate=lambda left: 1e-3 * left,
        seed=SEED,
        device="cpu",
    )
    model.learn(STEPS, callback=Renew(seat))
    print("win rate against random play:", wins(model, 200))
    names = ["obs", "action_mask", "logits", "value"]
    torch.onnx.export(
        Policy(model.policy),
        (torch.zeros(1, 6, 7, 2), torch.ones(1, 7, dtype=torch.bool)),
        file,
        input_names=names[:2],
        output_names=names[2:],
        dynamic_axes={name: {0: "batch"} for name in names},
        opset_version=17,
        dynamo=False,
    )


main(sys.argv[1])

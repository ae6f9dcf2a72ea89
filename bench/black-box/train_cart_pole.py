"""Trains CartPole-v1 with Stable-Baselines3's PPO and writes the policy as ONNX: logits and value.

pip install stable-baselines3 onnx; then: python train_cart_pole.py cart_pole.onnx
"""

import sys

import gymnasium
import torch
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

SEED = 1
STEPS = 30_000


class Policy(torch.nn.Module):
    """What SB3's actor-critic computes from an observation."""

    def __init__(self, policy):
        super().__init__()
        self.policy = policy

    def forward(self, obs):
        actor, critic = self.policy.mlp_extractor(obs)
        return self.policy.action_net(actor), self.policy.value_net(critic)


def main(file):
    torch.set_num_threads(1)
    model = PPO(
        "MlpPolicy",
        make_vec_env("CartPole-v1", n_envs=8, seed=SEED),
        n_steps=32,
        batch_size=256,
        n_epochs=20,
        gae_lambda=0.8,
        gamma=0.98,
        learning_rate=lambda left: 1e-3 * left,
        clip_range=lambda left: 0.2 * left,
        seed=SEED,
        device="cpu",
    )
    model.learn(STEPS)
    world = gymnasium.make("CartPole-v1")
    world.reset(seed=SEED)
    print("mean greedy return of 100 episodes, deviation:", *evaluate_policy(model, world, 100))
    names = ["obs", "logits", "value"]
    torch.onnx.export(
        Policy(model.policy),
        (torch.zeros(1, 4),),
        file,
        input_names=names[:1],
        output_names=names[1:],
        dynamic_axes={name: {0: "batch"} for name in names},
        opset_version=17,
        dynamo=False,
    )


main(sys.argv[1])

"""Stable-Baselines3's PPO on CartPole with the settings of bench/peers, one torch thread: environment steps per CPU second."""

import platform
import time

from lines import serve


def start(options):
    import gymnasium
    import stable_baselines3
    import torch
    from stable_baselines3 import PPO
    from stable_baselines3.common.env_util import make_vec_env
    from stable_baselines3.common.vec_env import DummyVecEnv

    torch.set_num_threads(1)
    copies = options["copies"]
    steps = copies * options["rollout"]
    model = PPO(
        "MlpPolicy",  # separate 64-64 tanh actor and critic
        make_vec_env("CartPole-v1", n_envs=copies, seed=1, vec_env_cls=DummyVecEnv),
        n_steps=options["rollout"],
        batch_size=steps // options["minibatches"],
        n_epochs=options["epochs"],
        learning_rate=2.5e-4,
        gamma=0.99,
        gae_lambda=0.95,
        clip_range=0.2,
        ent_coef=0.01,
        vf_coef=0.5,
        max_grad_norm=0.5,
        seed=1,
        device="cpu",
    )

    def answer(request):
        """Trains for whole iterations until so many CPU milliseconds have passed."""
        begun = time.process_time()
        done = 0
        while 1000 * (time.process_time() - begun) < request["train"]:
            model.learn(total_timesteps=steps, reset_num_timesteps=False)
            done += steps
        return {"steps": done, "cpuMs": 1000 * (time.process_time() - begun)}

    versions = {
        "stable-baselines3": stable_baselines3.__version__,
        "gymnasium": gymnasium.__version__,
        "torch": torch.__version__,
        "python": platform.python_version(),
    }
    return versions, answer


serve(start)

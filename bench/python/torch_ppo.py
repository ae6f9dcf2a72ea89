"""A PPO step in eager torch on one thread, the same work as bench/networks: what a Python user would write."""

import base64
import platform
import time

from lines import serve


def start(_options):
    import numpy as np
    import torch
    from torch import nn

    torch.set_num_threads(1)
    state = {}

    def array(text, dtype=np.float32):
        return torch.from_numpy(np.frombuffer(base64.b64decode(text), dtype).copy())

    def prepare(request):
        widths = request["widths"]
        layers, at = [], 0
        parameters = array(request["parameters"])
        for inputs, outputs in zip(widths, widths[1:]):
            layer = nn.Linear(inputs, outputs)
            with torch.no_grad():
                layer.weight.copy_(parameters[at : at + inputs * outputs].reshape(inputs, outputs).T)
                at += inputs * outputs
                layer.bias.copy_(parameters[at : at + outputs])
                at += outputs
            layers += [layer, nn.Tanh()]
        net = nn.Sequential(*layers[:-1])
        batch = {
            name: array(text, np.uint8 if name == "legal" else np.float32) for name, text in request["batch"].items()
        }
        rows = len(batch["returns"])
        state.update(
            request,
            net=net,
            optimizer=torch.optim.Adam(net.parameters(), lr=request["learning_rate"], eps=1e-5),
            rows=torch.arange(rows),
            inputs=batch["inputs"].reshape(rows, -1),
            legal=batch["legal"].reshape(rows, -1).bool(),
            actions=batch["actions"].long().unsqueeze(1),
            log_probs=batch["logProbs"],
            advantages=batch["advantages"],
            returns=batch["returns"],
        )
        return {}

    def step():
        rows = state["rows"]  # a minibatch is picked by rows, as the others' are
        y = state["net"](state["inputs"][rows])
        logs = torch.log_softmax(y[:, :-1].masked_fill(~state["legal"][rows], -1e9), 1)
        ratio = (logs.gather(1, state["actions"][rows]).squeeze(1) - state["log_probs"][rows]).exp()
        advantages = state["advantages"][rows]
        clip = state["clip"]
        surrogate = torch.minimum(ratio * advantages, ratio.clamp(1 - clip, 1 + clip) * advantages)
        entropy = -(logs.exp() * logs).sum(1)
        value = 0.5 * (y[:, -1] - state["returns"][rows]).square()
        loss = (
            state["value_coefficient"] * value - surrogate - state["entropy_coefficient"] * entropy
        ).mean()
        state["optimizer"].zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(state["net"].parameters(), state["max_norm"])
        state["optimizer"].step()

    def forward():
        with torch.no_grad():
            return state["net"](state["inputs"])

    def answer(request):
        what = request["what"]
        if what == "prepare":
            return prepare(request)
        if what == "outputs":
            return {"outputs": base64.b64encode(forward().numpy().tobytes()).decode()}
        call = step if what == "step" else forward
        begun = time.process_time()
        for _ in range(request["count"]):
            call()
        return {"cpu_ms": 1000 * (time.process_time() - begun)}

    return {"torch": torch.__version__, "python": platform.python_version()}, answer


serve(start)

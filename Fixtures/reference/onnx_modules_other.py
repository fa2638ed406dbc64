"""More of them: gates, attention, activations, poolings and paddings that others wrote."""

import torch
from torch import nn
from torch.nn import functional

from onnx_modules_known import Network, normalized


class SELUNet(Network):
    def make(self):
        self.m = nn.Sequential(nn.Conv2d(3, 6, 3), nn.SELU(), nn.AlphaDropout(0.1), nn.Conv2d(6, 4, 3), nn.SELU())
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(self.m(x).mean((2, 3)))


class C2f(Network):
    "YOLOv8's block, and its classification head"

    def make(self):
        self.st = normalized(3, 6, 3, 2, act=nn.SiLU)
        self.a = normalized(6, 8, 1, act=nn.SiLU)
        self.m1 = normalized(4, 4, act=nn.SiLU)
        self.m2 = normalized(4, 4, act=nn.SiLU)
        self.b = normalized(12, 6, 1, act=nn.SiLU)
        self.h = normalized(6, 10, 1, act=nn.SiLU)
        self.fc = nn.Linear(10, 3)

    def forward(self, x):
        y = self.a(self.st(x)).chunk(2, 1)
        y = [y[0], y[1]]
        y.append(y[-1] + self.m2(self.m1(y[-1])))
        return self.fc(functional.adaptive_avg_pool2d(self.h(self.b(torch.cat(y, 1))), 1).flatten(1))


class SPP(Network):
    def make(self):
        self.c = normalized(3, 4, 3, 2)
        self.fc = nn.Linear(84, 3)

    def forward(self, x):
        x = self.c(x)
        return self.fc(torch.cat([functional.adaptive_max_pool2d(x, n).flatten(1) for n in (1, 2, 4)], 1))


class SPPF(Network):
    def make(self):
        self.c = normalized(3, 4, 3, 2, act=nn.SiLU)
        self.q = normalized(16, 6, 1, act=nn.SiLU)
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = self.c(x)
        a = functional.max_pool2d(x, 5, 1, 2)
        b = functional.max_pool2d(a, 5, 1, 2)
        return self.fc(self.q(torch.cat([x, a, b, functional.max_pool2d(b, 5, 1, 2)], 1)).mean((2, 3)))


class ViT(Network):
    def make(self):
        self.p = nn.Conv2d(3, 8, 4, 4)
        self.e = nn.TransformerEncoderLayer(8, 2, 16, 0.0, batch_first=True)
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        return self.fc(self.e(self.p(x).flatten(2).transpose(1, 2)).mean(1))


class Mixer(Network):
    def make(self):
        self.p = nn.Conv2d(3, 6, 4, 4)
        self.n = nn.LayerNorm(6)
        self.t = nn.Sequential(nn.Linear(16, 8), nn.GELU(), nn.Linear(8, 16))
        self.m = nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 6))
        self.n2 = nn.LayerNorm(6)
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = self.p(x).flatten(2).transpose(1, 2)
        x = x + self.t(self.n(x).transpose(1, 2)).transpose(1, 2)
        x = x + self.m(self.n2(x))
        return self.fc(x.mean(1))


class ChannelMLP(Network):
    "tokens with an MLP over their channels alone"

    def make(self):
        self.p = nn.Conv2d(3, 6, 4, 4)
        self.n = nn.LayerNorm(6)
        self.m = nn.Sequential(nn.Linear(6, 8), nn.GELU(), nn.Linear(8, 6))
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = self.p(x).flatten(2).transpose(1, 2)
        x = x + self.m(self.n(x))
        return self.fc(x.mean(1))


class Maxout(Network):
    def make(self):
        self.a = nn.Conv2d(3, 4, 3)
        self.b = nn.Conv2d(3, 4, 3)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(torch.maximum(self.a(x), self.b(x)).mean((2, 3)))


class GeM(Network):
    def make(self):
        self.c = normalized(3, 6)
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        return self.fc(functional.avg_pool2d(self.c(x).clamp(min=1e-6).pow(3), (16, 16)).pow(1 / 3).flatten(1))


class GLU(Network):
    def make(self):
        self.a = nn.Conv2d(3, 8, 3)
        self.b = nn.Conv2d(4, 8, 3)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(functional.glu(self.b(functional.glu(self.a(x), 1)), 1).mean((2, 3)))


class Highway(Network):
    shape = (3, 6, 6)

    def make(self):
        self.i = nn.Linear(108, 10)
        self.h = nn.Linear(10, 10)
        self.t = nn.Linear(10, 10)
        self.fc = nn.Linear(10, 3)

    def forward(self, x):
        x = functional.relu(self.i(x.flatten(1)))
        t = torch.sigmoid(self.t(x))
        return self.fc(functional.relu(self.h(x)) * t + x * (1 - t))


class WeightStandardized(Network):
    class WS(nn.Conv2d):
        def forward(self, x):
            w = self.weight
            w = (w - w.mean((1, 2, 3), keepdim=True)) / (w.std((1, 2, 3), keepdim=True) + 1e-5)
            return functional.conv2d(x, w, self.bias, self.stride, self.padding)

    def make(self):
        self.a = self.WS(3, 8, 3)
        self.g = nn.GroupNorm(2, 8)
        self.b = self.WS(8, 4, 3)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(functional.relu(self.b(functional.relu(self.g(self.a(x))))).mean((2, 3)))


class ReZero(Network):
    def make(self):
        self.c = normalized(3, 6)
        self.b = nn.Conv2d(6, 6, 3, padding=1)
        self.alpha = nn.Parameter(torch.tensor([0.3]))
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = self.c(x)
        return self.fc((x + self.alpha * torch.tanh(self.b(x))).mean((2, 3)))


class PReLUNet(Network):
    def make(self):
        self.m = nn.Sequential(
            nn.Conv2d(3, 6, 3, 2),
            nn.PReLU(6),
            nn.Conv2d(6, 6, 3, padding=1, groups=6),
            nn.PReLU(6),
            nn.Conv2d(6, 8, 1),
            nn.BatchNorm2d(8),
            nn.PReLU(),
            nn.Flatten(),
            nn.Linear(392, 10),
            nn.PReLU(),
            nn.Linear(10, 3),
        )

    def forward(self, x):
        return self.m(x)


class ELUNet(Network):
    def make(self):
        self.m = nn.Sequential(
            nn.Conv2d(3, 6, 3, 2),
            nn.BatchNorm2d(6),
            nn.ELU(inplace=True),
            nn.Conv2d(6, 6, 3, padding=1),
            nn.ELU(0.5),
            nn.AvgPool2d((1, 4)),
            nn.Flatten(),
            nn.Linear(42, 3),
        )

    def forward(self, x):
        x = self.m(x)
        return x if self.gives_logits else functional.log_softmax(x, dim=1)


class EEGNet(Network):
    shape = (1, 8, 32)

    def make(self):
        self.a = nn.Conv2d(1, 4, (1, 15), padding=(0, 7), bias=False)
        self.n = nn.BatchNorm2d(4)
        self.d = nn.Conv2d(4, 8, (8, 1), groups=4, bias=False)
        self.n2 = nn.BatchNorm2d(8)
        self.e = nn.Conv2d(8, 8, (1, 7), padding=(0, 3), groups=8, bias=False)
        self.p = nn.Conv2d(8, 8, 1, bias=False)
        self.n3 = nn.BatchNorm2d(8)
        self.fc = nn.Linear(16, 3)

    def forward(self, x):
        x = functional.dropout(functional.avg_pool2d(functional.elu(self.n2(self.d(self.n(self.a(x))))), (1, 4)), 0.25, self.training)
        return self.fc(functional.avg_pool2d(functional.elu(self.n3(self.p(self.e(x)))), (1, 4)).flatten(1))


class Blur(Network):
    def make(self):
        self.c = normalized(3, 4)
        self.register_buffer("k", (torch.tensor([1.0, 2, 1])[:, None] * torch.tensor([1.0, 2, 1]))[None, None].repeat(4, 1, 1, 1) / 16)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        x = self.c(x)
        return self.fc(functional.conv2d(functional.pad(x, (1, 1, 1, 1), mode="reflect"), self.k.to(x.dtype), stride=2, groups=4).mean((2, 3)))


class Normalized(Network):
    def make(self):
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1))
        self.c = normalized(3, 6, 3, 2)
        self.fc = nn.Linear(12, 3)

    def forward(self, x):
        x = self.c((x - self.mean) / self.std)
        x = self.fc(torch.cat([functional.adaptive_avg_pool2d(x, 1), functional.adaptive_max_pool2d(x, 1)], 1).flatten(1))
        return x if self.gives_logits else torch.softmax(x, -1)


class Ensemble(Network):
    def make(self):
        self.a = nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.SiLU())
        self.b = nn.Sequential(nn.Conv2d(3, 4, 5, 2), nn.Softplus())
        self.fa = nn.Linear(4, 3)
        self.fb = nn.Linear(4, 3)

    def forward(self, x):
        return (self.fa(self.a(x).mean((2, 3))) + self.fb(self.b(x).mean((2, 3)))) / 2


class Instance(Network):
    def make(self):
        self.m = nn.Sequential(nn.ReflectionPad2d(1), nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4), nn.ReLU())
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(self.m(x).mean((2, 3)))


class InstanceZero(Network):
    def make(self):
        self.m = nn.Sequential(
            nn.ZeroPad2d((1, 2, 1, 0)), nn.Conv2d(3, 4, 3), nn.InstanceNorm2d(4, affine=True), nn.Mish(), nn.Conv2d(4, 4, 3), nn.Hardtanh(0, 6)
        )
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(self.m(x).mean((2, 3)))


class Upsampled(Network):
    def make(self):
        self.a = nn.Conv2d(3, 4, 3, 2, 1)
        self.b = nn.Conv2d(3, 4, 1)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        return self.fc(functional.relu(functional.interpolate(self.a(x), scale_factor=2) + self.b(x)).mean((2, 3)))


class CoAtt(Network):
    "coordinate attention's two poolings, gates of rows and columns"

    def make(self):
        self.c = normalized(3, 6)
        self.h = nn.Conv2d(6, 6, 1)
        self.w = nn.Conv2d(6, 6, 1)
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = self.c(x)
        return self.fc((x * torch.sigmoid(self.h(x.mean(3, keepdim=True))) * torch.sigmoid(self.w(x.mean(2, keepdim=True)))).mean((2, 3)))


class LayerScaled(Network):
    def make(self):
        self.p = nn.Conv2d(3, 6, 4, 4)
        self.n = nn.GroupNorm(1, 6)
        self.d = nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.gamma = nn.Parameter(torch.ones(6, 1, 1) * 0.5)
        self.q = nn.Sequential(nn.Conv2d(6, 12, 1), nn.GELU("tanh"), nn.Conv2d(12, 6, 1))
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = self.p(x)
        x = x + self.gamma * self.q(self.n(self.d(x)))
        return self.fc(x.flatten(2).mean(-1))

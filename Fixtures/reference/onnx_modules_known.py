"""Networks as people write them for classification, small: those whose names are known, and their blocks."""

import torch
from torch import nn
from torch.nn import functional


class Network(nn.Module):
    shape = (3, 16, 16)
    #: Whether a softmax at the end is left out.
    gives_logits = False

    def __init__(self):
        super().__init__()
        self.make()


def normalized(inputs, outputs, kernel=3, stride=1, groups=1, act=nn.ReLU):
    return nn.Sequential(nn.Conv2d(inputs, outputs, kernel, stride, kernel // 2, groups=groups, bias=False), nn.BatchNorm2d(outputs), act())


class PlainView(Network):
    def make(self):
        self.conv1 = nn.Conv2d(3, 6, 5)
        self.conv2 = nn.Conv2d(6, 8, 3)
        self.fc1 = nn.Linear(32, 12)
        self.fc2 = nn.Linear(12, 3)

    def forward(self, x):
        x = functional.max_pool2d(functional.relu(self.conv1(x)), 2)
        x = functional.max_pool2d(functional.relu(self.conv2(x)), 2)
        x = x.view(x.size(0), -1)
        return self.fc2(functional.dropout(functional.relu(self.fc1(x)), 0.5, self.training))


class LeNet5(Network):
    shape = (1, 20, 20)

    def make(self):
        self.f = nn.Sequential(nn.Conv2d(1, 4, 5, padding=2), nn.Tanh(), nn.AvgPool2d(2, 2), nn.Conv2d(4, 6, 5), nn.Tanh(), nn.AvgPool2d(2, 2))
        self.c = nn.Sequential(nn.Linear(54, 10), nn.Tanh(), nn.Linear(10, 3))

    def forward(self, x):
        return self.c(torch.flatten(self.f(x), 1))


class Alex(Network):
    shape = (3, 32, 32)

    def make(self):
        self.f = nn.Sequential(
            nn.Conv2d(3, 6, 5, 2, 2),
            nn.ReLU(True),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(6, 8, 5, padding=2, groups=2),
            nn.ReLU(True),
            nn.MaxPool2d(3, 2),
            nn.Conv2d(8, 8, 3, padding=1),
            nn.ReLU(True),
        )
        self.p = nn.AdaptiveAvgPool2d((3, 3))
        self.c = nn.Sequential(nn.Dropout(), nn.Linear(72, 16), nn.ReLU(True), nn.Dropout(), nn.Linear(16, 3))

    def forward(self, x):
        return self.c(self.p(self.f(x)).flatten(1))


class VGGBN(Network):
    def make(self):
        l = []
        i = 3
        for v in [4, "M", 6, 6, "M"]:
            if v == "M":
                l.append(nn.MaxPool2d(2, 2))
            else:
                l += [nn.Conv2d(i, v, 3, padding=1), nn.BatchNorm2d(v), nn.ReLU(inplace=True)]
                i = v
        self.features = nn.Sequential(*l)
        self.classifier = nn.Sequential(nn.Linear(96, 12), nn.BatchNorm1d(12), nn.ReLU(True), nn.Linear(12, 3))

    def forward(self, x):
        return self.classifier(torch.flatten(self.features(x), 1))


class OptionA(Network):
    "CIFAR's ResNet with shortcuts of zeros"

    def make(self):
        self.c0 = nn.Conv2d(3, 4, 3, padding=1)
        self.a = nn.Conv2d(4, 8, 3, 2, 1)
        self.b = nn.Conv2d(8, 8, 3, 1, 1)
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        x = functional.relu(self.c0(x))
        y = self.b(functional.relu(self.a(x)))
        x = functional.relu(y + functional.pad(x[:, :, ::2, ::2], (0, 0, 0, 0, 2, 2)))
        return self.fc(functional.avg_pool2d(x, x.size(3)).view(x.size(0), -1))


class PreBottle(Network):
    def make(self):
        self.c0 = nn.Conv2d(3, 8, 3, padding=1)
        self.b = nn.Sequential(
            nn.BatchNorm2d(8),
            nn.ReLU(),
            nn.Conv2d(8, 4, 1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 4, 3, 2, 1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 12, 1),
        )
        self.sc = nn.Conv2d(8, 12, 1, 2)
        self.n = nn.BatchNorm2d(12)
        self.fc = nn.Linear(12, 3)

    def forward(self, x):
        x = self.c0(x)
        x = self.b(x) + self.sc(x)
        return self.fc(functional.relu(self.n(x)).mean((2, 3)))


class Wide(Network):
    def make(self):
        self.c0 = nn.Conv2d(3, 6, 3, padding=1)
        self.n1 = nn.BatchNorm2d(6)
        self.c1 = nn.Conv2d(6, 10, 3, padding=1)
        self.d = nn.Dropout2d(0.3)
        self.n2 = nn.BatchNorm2d(10)
        self.c2 = nn.Conv2d(10, 10, 3, 2, 1)
        self.sc = nn.Conv2d(6, 10, 1, 2)
        self.fc = nn.Linear(10, 3)

    def forward(self, x):
        x = self.c0(x)
        y = functional.leaky_relu(self.n1(x), 0.1)
        y = self.c2(functional.leaky_relu(self.n2(self.d(self.c1(y))), 0.1))
        return self.fc(functional.adaptive_avg_pool2d(y + self.sc(x), 1).squeeze(3).squeeze(2))


class DenseBC(Network):
    def make(self):
        self.c0 = nn.Conv2d(3, 4, 3, padding=1)
        self.l = nn.ModuleList(
            nn.Sequential(
                nn.BatchNorm2d(4 + 3 * i), nn.ReLU(), nn.Conv2d(4 + 3 * i, 6, 1), nn.BatchNorm2d(6), nn.ReLU(), nn.Conv2d(6, 3, 3, padding=1)
            )
            for i in range(3)
        )
        self.t = nn.Sequential(nn.BatchNorm2d(13), nn.ReLU(), nn.Conv2d(13, 6, 1), nn.AvgPool2d(2))
        self.n = nn.BatchNorm2d(6)
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        fs = [self.c0(x)]
        for l in self.l:
            fs.append(l(torch.cat(fs, 1)))
        return self.fc(functional.relu(self.n(self.t(torch.cat(fs, 1)))).mean([2, 3]))


class Xception(Network):
    def make(self):
        self.c0 = nn.Conv2d(3, 4, 3, padding=1)
        self.d1 = nn.Conv2d(4, 4, 3, padding=1, groups=4)
        self.p1 = nn.Conv2d(4, 8, 1)
        self.n1 = nn.BatchNorm2d(8)
        self.d2 = nn.Conv2d(8, 8, 3, padding=1, groups=8)
        self.p2 = nn.Conv2d(8, 8, 1)
        self.n2 = nn.BatchNorm2d(8)
        self.sc = nn.Conv2d(4, 8, 1, 2)
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        x = self.c0(x)
        y = self.n1(self.p1(self.d1(functional.relu(x))))
        y = self.n2(self.p2(self.d2(functional.relu(y))))
        y = functional.max_pool2d(y, 3, 2, 1) + self.sc(x)
        return self.fc(functional.adaptive_avg_pool2d(functional.relu(y), (1, 1)).flatten(1))


class MobileV1(Network):
    def make(self):
        self.m = nn.Sequential(
            normalized(3, 4, 3, 2, act=nn.ReLU6),
            normalized(4, 4, 3, 1, 4, nn.ReLU6),
            normalized(4, 8, 1, act=nn.ReLU6),
            normalized(8, 8, 3, 2, 8, nn.ReLU6),
            normalized(8, 10, 1, act=nn.ReLU6),
            nn.AdaptiveAvgPool2d(1),
        )
        self.fc = nn.Linear(10, 3)

    def forward(self, x):
        return self.fc(self.m(x).view(-1, 10))


class SELinear(nn.Module):
    def __init__(self, c):
        super().__init__()
        self.f = nn.Sequential(nn.Linear(c, 3), nn.ReLU(), nn.Linear(3, c), nn.Hardsigmoid())

    def forward(self, x):
        b, c, _, _ = x.size()
        return x * self.f(functional.adaptive_avg_pool2d(x, 1).view(b, c)).view(b, c, 1, 1)


class MobileV3(Network):
    def make(self):
        self.a = normalized(3, 6, 3, 2, act=nn.Hardswish)
        self.d = normalized(6, 6, 5, 1, 6, nn.Hardswish)
        self.se = SELinear(6)
        self.p = nn.Sequential(nn.Conv2d(6, 6, 1), nn.BatchNorm2d(6))
        self.h = nn.Sequential(nn.Conv2d(6, 10, 1), nn.Hardswish())
        self.fc = nn.Linear(10, 3)

    def forward(self, x):
        x = self.a(x)
        x = x + self.p(self.se(self.d(x)))
        return self.fc(self.h(functional.adaptive_avg_pool2d(x, 1)).flatten(1))


class ShuffleV2(Network):
    def make(self):
        self.c = normalized(3, 8, 3, 2)
        self.b1 = nn.Sequential(
            nn.Conv2d(4, 4, 1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
            nn.Conv2d(4, 4, 3, 1, 1, groups=4),
            nn.BatchNorm2d(4),
            nn.Conv2d(4, 4, 1),
            nn.BatchNorm2d(4),
            nn.ReLU(),
        )
        self.l = nn.Sequential(nn.Conv2d(8, 8, 3, 2, 1, groups=8), nn.BatchNorm2d(8), nn.Conv2d(8, 6, 1), nn.BatchNorm2d(6), nn.ReLU())
        self.r = nn.Sequential(
            nn.Conv2d(8, 6, 1),
            nn.BatchNorm2d(6),
            nn.ReLU(),
            nn.Conv2d(6, 6, 3, 2, 1, groups=6),
            nn.BatchNorm2d(6),
            nn.Conv2d(6, 6, 1),
            nn.BatchNorm2d(6),
            nn.ReLU(),
        )
        self.fc = nn.Linear(12, 3)

    def sh(self, x, g):
        b, c, h, w = x.size()
        return torch.transpose(x.view(b, g, c // g, h, w), 1, 2).contiguous().view(b, -1, h, w)

    def forward(self, x):
        x = self.c(x)
        a, b = x.chunk(2, dim=1)
        x = self.sh(torch.cat((a, self.b1(b)), 1), 2)
        x = self.sh(torch.cat((self.l(x), self.r(x)), 1), 2)
        return self.fc(x.mean([2, 3]))


class ShuffleV1(Network):
    def make(self):
        self.c = normalized(3, 6, 3, 2)
        self.a = nn.Conv2d(6, 6, 1, groups=3)
        self.sh = nn.ChannelShuffle(3)
        self.d = nn.Conv2d(6, 6, 3, padding=1, groups=6)
        self.b = nn.Conv2d(6, 6, 1, groups=3)
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = self.c(x)
        return self.fc(functional.relu(x + self.b(self.d(self.sh(functional.relu(self.a(x)))))).mean((2, 3)))


class Squeeze(Network):
    def make(self):
        self.c = nn.Conv2d(3, 6, 3, 2)
        self.sq = nn.Conv2d(6, 3, 1)
        self.e1 = nn.Conv2d(3, 4, 1)
        self.e3 = nn.Conv2d(3, 4, 3, padding=1)
        self.f = nn.Conv2d(8, 3, 1)

    def forward(self, x):
        x = functional.max_pool2d(functional.relu(self.c(x)), 3, 2, ceil_mode=True)
        x = functional.relu(self.sq(x))
        x = torch.cat([functional.relu(self.e1(x)), functional.relu(self.e3(x))], 1)
        return torch.flatten(functional.adaptive_avg_pool2d(functional.relu(self.f(functional.dropout(x, 0.5, self.training))), (1, 1)), 1)


class ConvMixer(Network):
    def make(self):
        self.p = nn.Sequential(nn.Conv2d(3, 6, 2, 2), nn.GELU(), nn.BatchNorm2d(6))
        self.d = nn.Sequential(nn.Conv2d(6, 6, 5, groups=6, padding="same"), nn.GELU(), nn.BatchNorm2d(6))
        self.q = nn.Sequential(nn.Conv2d(6, 6, 1), nn.GELU(), nn.BatchNorm2d(6))
        self.h = nn.Sequential(nn.AdaptiveAvgPool2d((1, 1)), nn.Flatten(), nn.Linear(6, 3))

    def forward(self, x):
        x = self.p(x)
        return self.h(self.q(x + self.d(x)))


class NiN(Network):
    def make(self):
        self.m = nn.Sequential(
            nn.Conv2d(3, 6, 5, padding=2),
            nn.ReLU(),
            nn.Conv2d(6, 4, 1),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
            nn.Dropout(0.5),
            nn.Conv2d(4, 6, 3, padding=1),
            nn.ReLU(),
            nn.Conv2d(6, 3, 1),
            nn.ReLU(),
            nn.AvgPool2d(8),
        )

    def forward(self, x):
        return self.m(x).flatten(1)


class CBAMChannel(Network):
    "average and maximum through one perceptron"

    def make(self):
        self.c = normalized(3, 6)
        self.m = nn.Sequential(nn.Conv2d(6, 2, 1), nn.ReLU(), nn.Conv2d(2, 6, 1))
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = self.c(x)
        return self.fc((x * torch.sigmoid(self.m(functional.adaptive_avg_pool2d(x, 1)) + self.m(functional.adaptive_max_pool2d(x, 1)))).mean((2, 3)))


class CBAMPlace(Network):
    def make(self):
        self.c = normalized(3, 6)
        self.m = nn.Conv2d(2, 1, 7, padding=3)
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = self.c(x)
        return self.fc((x * torch.sigmoid(self.m(torch.cat([x.mean(1, keepdim=True), x.max(1, keepdim=True)[0]], 1)))).mean((2, 3)))


class ECA(Network):
    def make(self):
        self.c = normalized(3, 6)
        self.m = nn.Conv1d(1, 1, 3, padding=1, bias=False)
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = self.c(x)
        y = self.m(functional.adaptive_avg_pool2d(x, 1).squeeze(-1).transpose(-1, -2)).transpose(-1, -2).unsqueeze(-1)
        return self.fc((x * y.sigmoid()).mean((2, 3)))


class ResNeXt(Network):
    def make(self):
        self.c = normalized(3, 8)
        self.b = nn.Sequential(normalized(8, 6, 1), normalized(6, 6, 3, 2, 3), nn.Conv2d(6, 12, 1), nn.BatchNorm2d(12))
        self.d = nn.Sequential(nn.AvgPool2d(2, 2), nn.Conv2d(8, 12, 1), nn.BatchNorm2d(12))
        self.fc = nn.Linear(12, 3)

    def forward(self, x):
        x = self.c(x)
        return self.fc(functional.relu(self.b(x) + self.d(x), inplace=True).mean((2, 3)))


class Res2(Network):
    def make(self):
        self.c = normalized(3, 8)
        self.k = nn.ModuleList(nn.Conv2d(2, 2, 3, padding=1) for _ in range(3))
        self.o = nn.Conv2d(8, 8, 1)
        self.fc = nn.Linear(8, 3)

    def forward(self, x):
        x = self.c(x)
        parts = torch.split(x, 2, 1)
        ys = [parts[0]]
        y = None
        for i in range(3):
            y = functional.relu(self.k[i](parts[i + 1] if y is None else parts[i + 1] + y))
            ys.append(y)
        return self.fc(functional.relu(x + self.o(torch.cat(ys, 1))).mean((2, 3)))


class Ghost(Network):
    def make(self):
        self.p = normalized(3, 4)
        self.q = normalized(4, 4, 3, 1, 4)
        self.p2 = normalized(7, 4, 1)
        self.fc = nn.Linear(4, 3)

    def forward(self, x):
        a = self.p(x)
        x = torch.cat([a, self.q(a)], 1)[:, :7, :, :]
        return self.fc(self.p2(x).mean((2, 3)))


class RepVGG(Network):
    def make(self):
        self.c = normalized(3, 6)
        self.a = nn.Sequential(nn.Conv2d(6, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6))
        self.b = nn.Sequential(nn.Conv2d(6, 6, 1, bias=False), nn.BatchNorm2d(6))
        self.i = nn.BatchNorm2d(6)
        self.fc = nn.Linear(6, 3)

    def forward(self, x):
        x = self.c(x)
        return self.fc(functional.relu(self.a(x) + self.b(x) + self.i(x)).mean((2, 3)))

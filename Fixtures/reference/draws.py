"""The random values of a sample, as SampleDraws makes them from a seed, a time, the sample's row and a purpose."""

import math

import torch

MODULUS, GOLDEN = 2**64, 0x9E3779B97F4A7C15


def mix(bits):
    bits = (bits ^ bits >> 30) * 0xBF58476D1CE4E5B9 % MODULUS
    bits = (bits ^ bits >> 27) * 0x94D049BB133111EB % MODULUS
    return bits ^ bits >> 31


def fold(value, state):
    return mix(((state ^ value) + GOLDEN) % MODULUS)


def state_of(purpose, seed, time, row):
    name = 0
    for byte in purpose.encode():
        name = fold(byte, name)
    return fold(name, fold(row, fold(time, mix((seed + GOLDEN) % MODULUS))))


def bits(state, element):
    return mix((state + (element + 1) * GOLDEN) % MODULUS)


def wide_unit(state, element):
    """A number in [0, 1) of 53 bits."""
    return (bits(state, element) >> 11) / 2**53


def random_values(seed, epoch, rows, shape):
    """u in [0, 1), of 24 bits, for each element of each image."""
    images = []
    for row in rows:
        state = state_of("counterexample", seed, epoch, row)
        images.append([(bits(state, element) >> 40) / 2**24 for element in range(math.prod(shape))])
    return torch.tensor(images).view(-1, *shape)


def normal_values(seed, epoch, rows, shape):
    """A normal number for each element of each image."""
    images = []
    for row in rows:
        state = state_of("counterexample", seed, epoch, row)
        images.append([
            math.sqrt(-2 * math.log(1 - wide_unit(state, 2 * element))) * math.cos(
                2 * math.pi * wide_unit(state, 2 * element + 1)) for element in range(math.prod(shape))])
    return torch.tensor(images).view(-1, *shape)


def shares(seed, epoch, rows):
    """What decides whether an image is changed."""
    return torch.tensor([(bits(state_of("share", seed, epoch, row), 0) >> 40) / 2**24 for row in rows])


def directions(seed, step, rows, classes):
    """v, whose entries add up to 0 and whose squares to K - 1, for each image."""
    result = []
    for row in rows:
        state = state_of("projection", seed, step, row)
        normal = []
        for element in range(0, classes, 2):
            radius = math.sqrt(-2 * math.log(1 - wide_unit(state, element)))
            angle = 2 * math.pi * wide_unit(state, element + 1)
            normal += [radius * math.cos(angle), radius * math.sin(angle)]
        direction = torch.tensor(normal[:classes])
        direction = direction - direction.mean()
        result.append(direction / direction.norm() * math.sqrt(classes - 1))
    return torch.stack(result)

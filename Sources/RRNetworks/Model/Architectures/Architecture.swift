import RRTensor

/// What the architectures of torchvision are put together from; every layer with parameters has the name of its module
/// there.
enum Architecture {
    /// A convolution whose shift is left to the normalisation after it, that normalisation, and what follows it.
    ///
    /// The padding keeps the extents under a stride of 1.
    static func convolution(
        _ out: Int, kernel: Int, stride: Int = 1, groups: Int = 1, names: (convolution: String, norm: String),
        epsilon: Double = 1e-5, then activation: LayerDescription? = nil
    ) -> [LayerDescription] {
        [
            .conv2d(
                .init(
                    out: out, kernel: Extents(kernel), stride: Extents(stride),
                    padding: Padding(Extents((kernel - 1) / 2)), groups: groups, bias: false)
            ).named(names.convolution),
            .batchnorm2d(epsilon: epsilon).named(names.norm),
        ] + (activation.map { [$0] } ?? [])
    }

    /// The same as a module of torchvision's `Conv2dNormActivation`, whose parts are numbered.
    static func convolution(
        _ out: Int, kernel: Int, stride: Int = 1, groups: Int = 1, in module: String,
        epsilon: Double = 1e-5, then activation: LayerDescription? = nil
    ) -> [LayerDescription] {
        convolution(
            out, kernel: kernel, stride: stride, groups: groups, names: ("\(module).0", "\(module).1"),
            epsilon: epsilon, then: activation)
    }

    /// Squeeze and excitation (Hu et al., 2018): each channel is multiplied by a factor made of the means of all.
    static func squeeze(
        _ channels: Int, to squeezed: Int, in module: String, activation: LayerDescription,
        gate: LayerDescription
    ) -> LayerDescription {
        .multiply(
            .init(body: [
                .globalavgpool, .conv2d(.init(out: squeezed, kernel: 1)).named("fc1"), activation,
                .conv2d(.init(out: channels, kernel: 1)).named("fc2"), gate,
            ])
        ).named(module)
    }

    /// The nearest multiple of 8 that is not below nine tenths of a width, as the MobileNets round.
    static func divisible(_ width: Double) -> Int {
        let rounded = max(8, Int(width + 4) / 8 * 8)
        return Double(rounded) < 0.9 * width ? rounded + 8 : rounded
    }

    /// A width in channels, made narrower or wider.
    static func scaled(_ channels: Int, by width: Double) -> Int { max(1, Int(Double(channels) * width)) }
}

extension LayerDescription {
    /// The layer with a name for its parameters.
    func named(_ name: String) -> LayerDescription { .named(name, self) }
}

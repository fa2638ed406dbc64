internal import CConvolution
import RRTensor

/// A two-dimensional convolution, its weight stored as (out, in / groups, kernel rows, kernel columns).
struct ConvolutionLayer<Scalar: NetworkScalar>: Layer {
    let options: LayerDescription.Convolution
    let geometry: WindowGeometry
    let inputShape: ImageShape
    let outputShape: ImageShape
    /// Whether the weight is stored as a linear layer's, (out, in).
    private let isLinear: Bool

    /// A linear layer over the channels of each pixel.
    ///
    /// - Throws: `LayerMisfit` where the output has too many elements.
    init(input: ImageShape, _ options: LayerDescription.Linear) throws(LayerMisfit) {
        try self.init(input: input, .init(out: options.out, kernel: 1, bias: options.bias), isLinear: true)
    }

    /// - Throws: `LayerMisfit` where the options do not fit the input.
    init(
        input: ImageShape, _ options: LayerDescription.Convolution, isLinear: Bool = false
    ) throws(LayerMisfit) {
        guard input.channels % options.groups == 0, options.out % options.groups == 0 else {
            throw LayerMisfit(
                "cannot split \(input.channels) input and \(options.out) output channels into "
                    + "\(options.groups) groups")
        }
        guard
            let geometry = WindowGeometry(
                input: input, kernel: options.kernel, stride: options.stride, padding: options.padding,
                dilation: options.dilation),
            let output = try? ImageShape(
                channels: options.out, height: geometry.outputHeight, width: geometry.outputWidth)
        else {
            throw LayerMisfit(
                "a kernel of \(options.kernel) with dilation \(options.dilation) and padding "
                    + "\(options.padding) does not fit into an input of \(input)")
        }
        self.options = options
        self.isLinear = isLinear
        self.geometry = geometry
        inputShape = input
        outputShape = output
    }

    var receptiveAxes: (rows: ReceptiveAxis, columns: ReceptiveAxis) {
        (geometry.rows.receptive, geometry.columns.receptive)
    }

    var parameters: [ParameterSpecification] {
        ParameterSpecification.weightAndBias(
            weight: [options.out, inputShape.channels / options.groups]
                + (isLinear ? [] : [options.kernel.height, options.kernel.width]),
            hasBias: options.bias)
    }

    var needs: LayerNeeds { .product }
    var productCount: Int { outputShape.elementCount * columnRowCount }

    func scratchCounts(capacity: Int) -> ScratchCounts { ScratchCounts() }

    /// For the weights, or the input, in the order in which they are read, or for the sums of a weight gradient.
    func workspaceCount(capacity: Int) -> Int {
        withUnsafePointer(to: shape(samples: capacity)) {
            max(rr_convolution_packed_count($0), rr_convolution_sums_count($0))
        }
    }

    var largestShareCount: Int { max(inputShape.elementCount, outputShape.elementCount) }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) {
        convolve(
            group, input, weights: group.parameters,
            bias: options.bias ? group.parameters + weightCount : nil, into: output)
    }

    func reverse(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, outputCotangent: UnsafePointer<Scalar>,
        inputCotangent: UnsafeMutablePointer<Scalar>
    ) {
        convolveTransposed(group, outputCotangent, weights: group.parameters, into: inputCotangent)
    }

    func tangent(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, inputTangent: UnsafePointer<Scalar>,
        outputTangent: UnsafeMutablePointer<Scalar>
    ) {
        convolve(group, inputTangent, weights: group.parameters, bias: nil, into: outputTangent)
    }

    func gradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, inputAdjoint: UnsafeMutablePointer<Scalar>?,
        parameterGradient: UnsafeMutablePointer<Scalar>?
    ) {
        if let parameterGradient {
            addWeightGradient(group, at: point, secondOrder, outputAdjoint, to: parameterGradient)
            if options.bias {
                addBiasGradient(
                    sampleCount: group.sampleCount, group.share, outputAdjoint,
                    to: parameterGradient + weightCount)
            }
        }
        // An adjoint goes back as a cotangent does.
        if let inputAdjoint {
            reverse(group, at: point, outputCotangent: outputAdjoint, inputCotangent: inputAdjoint)
        }
    }
}

extension ConvolutionLayer: GatheringLayer {
    var gradientPieces: [Range<Int>] { [0..<parameterCount] }

    func addGradient(
        ofSamples count: Int, piece: Int, _ share: WorkShare, inputs: UnsafePointer<Scalar>,
        outputs: UnsafePointer<Scalar>, countsBias: Bool, _ workspace: UnsafeMutablePointer<Scalar>,
        to gradient: UnsafeMutablePointer<Scalar>
    ) {
        for sample in 0..<count {
            let input = inputs + sample * inputShape.elementCount
            let output = outputs + sample * outputShape.elementCount
            addWeightGradient(sampleCount: 1, share, input, output, workspace, to: gradient)
            if options.bias, countsBias {
                addBiasGradient(sampleCount: 1, share, output, to: gradient + weightCount)
            }
        }
    }
}

/// The convolution by any weights of its shape.
extension ConvolutionLayer {
    func convolve(
        _ group: LayerGroup<Scalar>, _ input: UnsafePointer<Scalar>, weights: UnsafePointer<Scalar>,
        bias: UnsafePointer<Scalar>?, into output: UnsafeMutablePointer<Scalar>
    ) {
        if let product = product(sampleCount: group.sampleCount, group.share) {
            product.multiply(weights, input, bias: bias, into: output)
            return
        }
        var shape = shape(samples: group.sampleCount, group.share, isExact: group.isExact)
        Scalar.kernels.convolution.convolve(&shape, input, weights, bias, group.workspace, output)
    }

    /// Takes a cotangent of the output back to one of the input.
    func convolveTransposed(
        _ group: LayerGroup<Scalar>, _ output: UnsafePointer<Scalar>, weights: UnsafePointer<Scalar>,
        into input: UnsafeMutablePointer<Scalar>
    ) {
        if let product = product(sampleCount: group.sampleCount, group.share) {
            product.multiplyTransposed(weights, output, into: input)
            return
        }
        var shape = shape(
            samples: group.sampleCount, group.share, isTranspose: true, isExact: group.isExact)
        Scalar.kernels.convolution.convolve(&shape, output, weights, nil, group.workspace, input)
    }

    /// Adds ε xᵀ + δ ẋᵀ to the weights' gradient.
    func addWeightGradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, _ secondOrder: SecondOrder<Scalar>?,
        _ outputAdjoint: UnsafePointer<Scalar>, to gradient: UnsafeMutablePointer<Scalar>
    ) {
        var factors = [(point.input, outputAdjoint)]
        if let secondOrder { factors.append((secondOrder.inputTangent, secondOrder.outputCotangent)) }
        for (input, output) in factors {
            addWeightGradient(
                sampleCount: group.sampleCount, group.share, input, output, group.workspace, to: gradient)
        }
    }

    private func addWeightGradient(
        sampleCount: Int, _ share: WorkShare, _ input: UnsafePointer<Scalar>, _ output: UnsafePointer<Scalar>,
        _ workspace: UnsafeMutablePointer<Scalar>, to gradient: UnsafeMutablePointer<Scalar>
    ) {
        if let product = product(sampleCount: sampleCount, share) {
            product.addOuterProduct(output, input, to: gradient)
        } else {
            var shape = shape(samples: sampleCount, share)
            Scalar.kernels.convolution.addGradient(&shape, input, output, workspace, gradient)
        }
    }

    /// Adds Σ ε over positions and samples.
    func addBiasGradient(
        sampleCount: Int, _ share: WorkShare, _ outputAdjoint: UnsafePointer<Scalar>,
        to gradient: UnsafeMutablePointer<Scalar>
    ) {
        let outputs = share.range(of: options.out)
        let columns = geometry.outputPixelCount * sampleCount
        Rows.addSums(
            of: outputAdjoint + outputs.lowerBound * columns, rows: outputs.count, columns: columns,
            to: gradient + outputs.lowerBound)
    }
}

extension ConvolutionLayer {
    /// The channels that one output sums over.
    private var inputChannels: Int { inputShape.channels / options.groups }

    private var outputChannels: Int { options.out / options.groups }

    /// The elements under one position of the kernel.
    var columnRowCount: Int { inputChannels * options.kernel.area }

    var weightCount: Int { options.out * columnRowCount }

    /// The matrix product that a convolution of single pixels is, of its weights and the pixels of all samples, which lie one
    /// after the other; nil for another convolution, and where samples fill the vectors of the kernels over samples.
    func product(sampleCount: Int, _ share: WorkShare) -> PointwiseProduct<Scalar>? {
        guard isPointwise, sampleCount < 8 else { return nil }
        return PointwiseProduct(
            outputs: options.out, channels: inputChannels,
            columns: geometry.outputPixelCount * sampleCount, share: share)
    }

    private var isPointwise: Bool {
        options.kernel == 1 && options.stride == 1 && options.padding == 0 && options.groups == 1
    }

    private static var version: rr_convolution_version { rr_convolution_best_version() }

    func shape(
        samples: Int, _ share: WorkShare = .whole, isTranspose: Bool = false, isExact: Bool = false
    ) -> rr_convolution {
        rr_convolution(
            groups: options.groups, channels: inputChannels, height: inputShape.height,
            width: inputShape.width,
            outputs: outputChannels, output_height: geometry.outputHeight,
            output_width: geometry.outputWidth, rows: Self.axis(geometry.rows),
            columns: Self.axis(geometry.columns), samples: samples,
            version: Self.version, is_transpose: isTranspose,
            may_transform: !isExact && MemoryLayout<Scalar>.size == MemoryLayout<Float>.size,
            share: share.index, shares: share.count)
    }

    private static func axis(_ axis: WindowAxis) -> rr_convolution_axis {
        rr_convolution_axis(
            kernel: axis.kernel, stride: axis.stride, padding: axis.padding, dilation: axis.dilation)
    }
}

import RRTensor

/// A two-dimensional convolution with a square kernel, its weight stored as (out, in / groups, kernel, kernel).
struct ConvolutionLayer<Scalar: NetworkScalar>: Layer {
    let options: LayerDescription.Convolution
    let geometry: WindowGeometry
    let inputShape: ImageShape
    let outputShape: ImageShape

    /// - Throws: a message in the caller's words where the options do not fit the input.
    init(input: ImageShape, _ options: LayerDescription.Convolution) throws(LayerMisfit) {
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
        self.geometry = geometry
        inputShape = input
        outputShape = output
    }

    var parameters: [ParameterSpecification] {
        ParameterSpecification.weightAndBias(
            weight: [
                options.out, inputShape.channels / options.groups, options.kernel, options.kernel,
            ],
            hasBias: options.bias)
    }

    func makeScratch(capacity: Int) -> LayerScratch<Scalar> {
        LayerScratch(
            columnCount: readsInputDirectly
                ? 0 : options.groups * columnRowCount * geometry.outputPixelCount * capacity)
    }

    func forward(
        _ group: LayerGroup<Scalar>, input: UnsafePointer<Scalar>, output: UnsafeMutablePointer<Scalar>
    ) {
        convolve(group, input, columns: group.scratch.columns, into: output)
        if options.bias {
            Rows.add(
                group.parameters + weightCount, to: output, rows: options.out, columns: columnCount(group))
        }
    }

    func reverse(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, outputCotangent: UnsafePointer<Scalar>,
        inputCotangent: UnsafeMutablePointer<Scalar>
    ) {
        transposedConvolve(
            group, outputCotangent, columns: group.scratch.tangentColumns, into: inputCotangent)
    }

    func tangent(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, inputTangent: UnsafePointer<Scalar>,
        outputTangent: UnsafeMutablePointer<Scalar>
    ) {
        convolve(group, inputTangent, columns: group.scratch.tangentColumns, into: outputTangent)
    }

    func gradient(
        _ group: LayerGroup<Scalar>, at point: LayerPoint<Scalar>, secondOrder: SecondOrder<Scalar>?,
        outputAdjoint: UnsafePointer<Scalar>, inputAdjoint: UnsafeMutablePointer<Scalar>?,
        parameterGradient: UnsafeMutablePointer<Scalar>
    ) {
        let columns = readsInputDirectly ? point.input : UnsafePointer(group.scratch.columns.start)
        addWeightGradient(group, outputAdjoint, columns: columns, to: parameterGradient)
        if let secondOrder {
            let tangentColumns =
                readsInputDirectly
                ? secondOrder.inputTangent : UnsafePointer(group.scratch.tangentColumns.start)
            addWeightGradient(
                group, secondOrder.outputCotangent, columns: tangentColumns, to: parameterGradient)
        }
        if options.bias {
            Rows.addSums(
                of: outputAdjoint, rows: options.out, columns: columnCount(group),
                to: parameterGradient + weightCount)
        }
        if let inputAdjoint {
            transposedConvolve(group, outputAdjoint, columns: group.scratch.columns, into: inputAdjoint)
        }
    }
}

extension ConvolutionLayer {
    /// Whether the input is its own unfolding, as under a 1×1 kernel.
    private var readsInputDirectly: Bool {
        options.kernel == 1 && options.stride == 1 && options.padding == 0
    }

    private var weightCount: Int { options.out * columnRowCount }

    /// The rows of the columns that belong to one channel group.
    private var columnRowCount: Int {
        inputShape.channels / options.groups * options.kernel * options.kernel
    }

    private func columnCount(_ group: LayerGroup<Scalar>) -> Int {
        geometry.outputPixelCount * group.sampleCount
    }

    private func convolve(
        _ group: LayerGroup<Scalar>, _ input: UnsafePointer<Scalar>, columns: Buffer<Scalar>,
        into output: UnsafeMutablePointer<Scalar>
    ) {
        var unfolded = input
        if !readsInputDirectly {
            Columns.unfold(input, geometry, sampleCount: group.sampleCount, into: columns.start)
            unfolded = UnsafePointer(columns.start)
        }
        let count = columnCount(group)
        let rows = options.out / options.groups
        for channelGroup in 0..<options.groups {
            Scalar.kernels.product(
                MatrixOperand(
                    group.parameters + channelGroup * rows * columnRowCount, stride: columnRowCount),
                MatrixOperand(unfolded + channelGroup * columnRowCount * count, stride: count),
                ProductExtents(rows: rows, columns: count, inner: columnRowCount), 0,
                output + channelGroup * rows * count, count)
        }
    }

    private func transposedConvolve(
        _ group: LayerGroup<Scalar>, _ output: UnsafePointer<Scalar>, columns: Buffer<Scalar>,
        into input: UnsafeMutablePointer<Scalar>
    ) {
        let count = columnCount(group)
        let rows = options.out / options.groups
        let target = readsInputDirectly ? input : columns.start
        for channelGroup in 0..<options.groups {
            Scalar.kernels.product(
                MatrixOperand(
                    transposing: group.parameters + channelGroup * rows * columnRowCount,
                    stride: columnRowCount),
                MatrixOperand(output + channelGroup * rows * count, stride: count),
                ProductExtents(rows: columnRowCount, columns: count, inner: rows), 0,
                target + channelGroup * columnRowCount * count, count)
        }
        if !readsInputDirectly {
            Columns.fold(columns.start, geometry, sampleCount: group.sampleCount, into: input)
        }
    }

    private func addWeightGradient(
        _ group: LayerGroup<Scalar>, _ output: UnsafePointer<Scalar>, columns: UnsafePointer<Scalar>,
        to weightGradient: UnsafeMutablePointer<Scalar>
    ) {
        let count = columnCount(group)
        let rows = options.out / options.groups
        for channelGroup in 0..<options.groups {
            Scalar.kernels.product(
                MatrixOperand(output + channelGroup * rows * count, stride: count),
                MatrixOperand(transposing: columns + channelGroup * columnRowCount * count, stride: count),
                ProductExtents(rows: rows, columns: columnRowCount, inner: count), 1,
                weightGradient + channelGroup * rows * columnRowCount, columnRowCount)
        }
    }
}

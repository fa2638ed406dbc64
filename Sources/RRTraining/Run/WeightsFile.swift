package import RRFormats
package import RRNetworks

/// A network's parameters as a safetensors file that PyTorch loads by the same names, or read from any file of weights.
package enum WeightsFile {
    /// Reads the parameters of a layout, converting from any float type.
    ///
    /// - Parameters:
    ///   - path: the file.
    ///   - tensors: those of the file that are meant, where they are read already; nil for those that are the layout's.
    ///   - prefix: what each tensor's name begins with before the parameter's.
    ///   - layout: the parameters.
    /// - Throws: `FormatError` where the file cannot be read or its tensors are not the layout's.
    package static func read<Scalar: NetworkScalar>(
        _ path: String, tensors: [SafeTensor]? = nil, droppingPrefix prefix: String = "",
        layout: ParameterLayout, as _: Scalar.Type
    ) throws(FormatError) -> Parameters<Scalar> {
        let read: [SafeTensor]
        if let tensors {
            read = tensors
        } else {
            let match = try WeightsMatch(path: path, layout: layout)
            read = try match.tensors(layout: layout)
        }
        var shapes: [String: [Int]] = [:]
        var values: [String: [Scalar]] = [:]
        for tensor in read {
            let name = String(tensor.name.dropFirst(prefix.count))
            shapes[name] = tensor.shape
            do throws(FormatError) {
                values[name] = try tensor.values(as: Scalar.self)
            } catch {
                throw FormatError(error.code, path: "\(path):\(tensor.name)", error.message)
            }
        }
        do throws(NetworkError) {
            try layout.check(shapes)
        } catch {
            throw FormatError(.malformed, path: "\(path):\(error.location)", error.message)
        }
        return Parameters(layout: layout, values: layout.entries.flatMap { values[$0.name] ?? [] })
    }

    /// Reads what a training starts from: the parameters of a file, its head drawn from the seed where it is not taken.
    ///
    /// - Throws: as `read(_:tensors:droppingPrefix:layout:as:)`.
    package static func readInitial<Scalar: NetworkScalar>(
        _ path: String, of network: Network<Scalar>, head: HeadChoice?, seed: UInt64
    ) throws(FormatError) -> Parameters<Scalar> {
        let layout = network.parameterLayout
        let match = try WeightsMatch(path: path, layout: layout, head: .some(head))
        var read = try match.tensors(layout: layout)
        if !match.drawn.isEmpty {
            let fresh = network.initialParameters(seed: seed)
            read += tensors(fresh).filter { match.drawn.contains($0.name) }
        }
        return try self.read(path, tensors: read, layout: layout, as: Scalar.self)
    }

    /// Writes parameters as F32 or F64, as they were computed.
    ///
    /// - Throws: `FormatError` where the file cannot be written.
    package static func write<Scalar: NetworkScalar>(
        _ parameters: Parameters<Scalar>, to path: String
    ) throws(FormatError) {
        try SafeTensorsFile.write(tensors(parameters), to: path)
    }

    /// The tensors of parameters, each with its name after a prefix.
    static func tensors<Scalar: NetworkScalar>(
        _ parameters: Parameters<Scalar>, prefix: String = ""
    ) -> [SafeTensor] {
        parameters.layout.entries.map { entry in
            let name = prefix + entry.name
            let values = parameters.values(of: entry)
            return if Scalar.self == Double.self {
                SafeTensor(name: name, shape: entry.shape, values: values.map { Double($0) })
            } else {
                SafeTensor(name: name, shape: entry.shape, values: values.map { Float($0) })
            }
        }
    }
}

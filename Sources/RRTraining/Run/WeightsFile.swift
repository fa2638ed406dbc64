package import RRFormats
package import RRNetworks
internal import RRTensor

/// A network's parameters as a safetensors file that PyTorch loads by the same names.
package enum WeightsFile {
    /// Reads the parameters of a layout, converting from any float type.
    ///
    /// - Throws: `FormatError` where the file cannot be read or its tensors are not the layout's.
    package static func read<Scalar: NetworkScalar>(
        _ path: String, layout: ParameterLayout, as _: Scalar.Type
    ) throws(FormatError) -> Parameters<Scalar> {
        var tensors: [String: Tensor<Scalar>] = [:]
        for tensor in try SafeTensorsFile.read(path) where !layout.ignores(tensor.name) {
            do {
                tensors[tensor.name] = try Tensor(
                    shape: TensorShape(tensor.shape), elements: tensor.values(as: Scalar.self))
            } catch let error as FormatError {
                throw error
            } catch {
                throw FormatError(.malformed, path: "\(path):\(tensor.name)", "\(error)")
            }
        }
        do {
            return try Parameters(layout: layout, named: tensors)
        } catch {
            throw FormatError(.malformed, path: "\(path):\(error.location)", error.message)
        }
    }

    /// Writes parameters as F32 or F64, as they were computed.
    ///
    /// - Throws: `FormatError` where the file cannot be written.
    package static func write<Scalar: NetworkScalar>(
        _ parameters: Parameters<Scalar>, to path: String
    ) throws(FormatError) {
        let tensors = parameters.layout.entries.map { entry in
            let values = parameters.values(of: entry)
            return if Scalar.self == Double.self {
                SafeTensor(name: entry.name, shape: entry.shape, values: values.map { Double($0) })
            } else {
                SafeTensor(name: entry.name, shape: entry.shape, values: values.map { Float($0) })
            }
        }
        try SafeTensorsFile.write(tensors, to: path)
    }
}

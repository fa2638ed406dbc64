import RRTensor

/// What is known before a layer where it is built.
struct LayerContext {
    /// The shape of the layer's input.
    var shape: ImageShape
    /// Whether the input is features without a place.
    var isFlat: Bool
    /// The layer by its position in the model: `layers[3].body[0]`.
    var location: String
    /// The number of parameters of the layers before.
    var parameterCount: Int

    /// - Throws: where the input is features without a place.
    func image() throws(LayerMisfit) -> ImageShape {
        guard !isFlat else { throw LayerMisfit("needs an image, but \"flatten\" comes before it") }
        return shape
    }

    /// - Throws: where the input is maps, whose places the layer would mix up.
    func features() throws(LayerMisfit) -> ImageShape {
        guard isFlat else {
            throw LayerMisfit("needs a flat input, but gets maps of \(shape): put \"flatten\" before it")
        }
        return shape
    }

    /// Runs a layer's construction, and names the layer in what it throws.
    func located<Result>(
        _ description: LayerDescription, _ body: () throws -> Result
    ) throws(NetworkError) -> Result {
        do {
            return try body()
        } catch let error as NetworkError {
            // A layer inside this one, which is named already.
            throw error
        } catch {
            let message = (error as? LayerMisfit)?.message ?? "\(error)"
            throw NetworkError(.shapeMismatch, "\(location) (\(description.name))", message)
        }
    }
}

/// Why a layer cannot take its input; the context adds which layer it is.
struct LayerMisfit: Error {
    let message: String

    init(_ message: String) { self.message = message }
}

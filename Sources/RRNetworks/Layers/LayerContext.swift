import RRTensor

/// What is known before a layer where it is built.
struct LayerContext {
    /// The shape of the layer's input.
    var shape: ImageShape
    /// Whether the input is features without a place.
    var isFlat: Bool
    /// The value that the layer reads.
    var value: Int
    /// Where the elements of the input look.
    var rows = ReceptiveAxis()
    var columns = ReceptiveAxis()
    /// The layer by its position in the model: `layers[3].body[0]`.
    var location: String
    /// What the names of parameters begin with in the block that the layer is in, where a layer has a name: `layer1.0`.
    var scope: String
    /// What they begin with where it has none, before its number: `layer1.0.body`.
    var list: String

    /// What the names of a layer's parameters begin with.
    ///
    /// - Parameter index: what it is called where it has no name of its own.
    func path(of layer: LayerDescription, index: String) -> String {
        if case .named(let name, _) = layer { Self.join(scope, name) } else { Self.join(list, index) }
    }

    /// The beginning of a branch of a block.
    ///
    /// - Parameter path: the block's.
    func branch(_ name: String, path: String) -> LayerContext {
        var branch = self
        branch.location = "\(location).\(name)"
        branch.scope = path
        branch.list = Self.join(path, name.replacing("[", with: ".").replacing("]", with: ""))
        return branch
    }

    static func join(_ path: String, _ name: String) -> String { path.isEmpty ? name : "\(path).\(name)" }

    /// What comes out of the layers so far, in words.
    var text: String { isFlat ? "\(shape.elementCount) features" : "maps of \(shape)" }

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

    func misfit(_ description: LayerDescription, _ message: String) -> NetworkError {
        NetworkError(.shapeMismatch, "\(location) (\(description.name))", message)
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

internal import RRFormats

extension Message {
    /// The message as those know it who use this interface: options by the names of their JSON, operations by those that
    /// packages in other languages have.
    var interfaceText: String {
        text { part in
            switch part {
            case .text(let text): text
            case .option(let option): option.interfaceName
            case .operation(let operation): (operation.words ?? operation.name).withUnderscores
            }
        }
    }
}

extension OptionName {
    /// `masks_layout` for `masksLayout`
    var interfaceName: String {
        switch name {
        case "completesFiles": "truncated"
        case "masksAmongImages = false": "masks_among_images false"
        default: words.withUnderscores
        }
    }
}

extension String {
    fileprivate var withUnderscores: String { replacing("-", with: "_").replacing(" ", with: "_") }
}

/// What is wrong with a segmentation; whoever knows the annotation says which it is.
package struct COCODefect: Error, Equatable, Sendable, CustomStringConvertible {
    package let description: String

    package init(_ description: String) { self.description = description }
}

namespace Tunnel.Tests.Tidy;

public class CSharpTextTests
{
    [Theory]
    [InlineData("a // b\nc", "a     \nc")]
    [InlineData("a /* b\n */ c", "a     \n    c")]
    [InlineData("a \"b // c\" d", "a          d")]
    [InlineData("a \"\\\"b\" c", "a       c")]
    [InlineData("a @\"b\"\"\\\" c", "a @       c")]
    [InlineData("a \"\"\"b \" c\"\"\" d", "a             d")]
    [InlineData("a '\"' b", "a     b")]
    [InlineData("a \"\" b", "a    b")]
    [InlineData("a / b", "a / b")]
    public void CommentsAndLiteralsBecomeBlanks(string text, string code) => Assert.Equal(code, CSharpText.CodeOnly(text));
}

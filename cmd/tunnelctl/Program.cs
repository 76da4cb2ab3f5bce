using System.CommandLine;
using Tunnel.Ctl.Demo;
using Tunnel.Ctl.Verbs;

var root = new RootCommand("tunnelctl: tools around the tunnel") { KeygenVerb.Create(), VersionVerb.Create(), DemoVerb.Create(), BenchVerb.Create(), PingVerb.Create(), DumpVerb.Create(), EmulateVerb.Create() };
ParseResult parsed = root.Parse(args);
int result = await parsed.InvokeAsync();
return parsed.Errors.Count != 0 ? Tunnel.App.Hosting.ExitCode.Usage : result;
